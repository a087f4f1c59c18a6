import type { Schemas } from '@qdrant/js-client-rest';
import type { ScrollRequest } from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';
import { toQdrantFilter } from './qdrant-filter.js';
import { requireUuids } from './qdrant-points.js';
import { uuidSuccessor } from './uuid-successor.js';

const FIRST_UUID = '00000000-0000-0000-0000-000000000000';
const NUMERIC_ID = /^\d{1,20}$/;

/**
 * The first id behind `after`; `null` behind the last one of all. Numbers, which are ids for Qdrant but not for Kindred, come before all UUIDs: a page of a
 * collection that somebody else writes to may end with one, and the next page has to begin somewhere.
 *
 * @throws VectorStoreError `rejected`
 */
export function toScrollOffset(after: string | undefined): Schemas['ExtendedPointId'] | null | undefined {
  if (after === undefined) return undefined;
  if (NUMERIC_ID.test(after)) return numericSuccessor(after);
  requireUuids([after]);
  return uuidSuccessor(after);
}

/** @throws VectorStoreError `rejected` for a slice that is none */
export function toScrollFilter({ filter, slice }: ScrollRequest): Schemas['Filter'] | undefined {
  const translated = toQdrantFilter(filter);
  if (slice === undefined) return translated;
  const { total, index } = slice;
  if (!Number.isInteger(total) || !Number.isInteger(index) || total < 1 || index < 0 || index >= total)
    throw new VectorStoreError('rejected', `There is no slice ${index} of ${total}`);
  const condition = { slice: { total, index } };
  return { must: translated === undefined ? [condition] : [condition, translated] };
}

/** Beyond 2^53 a number cannot be written exactly; then the page after is that of the first UUIDs, so that the scroll goes on. */
function numericSuccessor(after: string): Schemas['ExtendedPointId'] {
  const next = Number(after) + 1;
  return Number.isSafeInteger(next) ? next : FIRST_UUID;
}

import type { VectorFilter } from '#vector-store';
import { COLLECTION_FIELD, KIND_FIELD, metadataField } from './chunk-payload.js';

export type MetadataScalar = string | number | boolean;

/**
 * A demand on the declared keys of a document's metadata. A document without the key meets neither `any` nor `range`, and so it meets their `not`.
 *
 * `pointer` is the place that a request names the key at, for what is said of it; it changes nothing of what is found.
 */
export type MetadataFilter =
  | { readonly kind: 'any'; readonly key: string; readonly values: readonly MetadataScalar[]; readonly pointer?: string }
  | {
      readonly kind: 'range';
      readonly key: string;
      readonly pointer?: string;
      readonly gt?: number;
      readonly gte?: number;
      readonly lt?: number;
      readonly lte?: number;
    }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly MetadataFilter[] }
  | { readonly kind: 'not'; readonly filter: MetadataFilter };

/** Which chunks a search may find. The one form from which the SQL and the filter of the vector store are made. */
export interface ChunkFilter {
  readonly collectionId: string | null;
  readonly kind: string | null;
  readonly metadata: MetadataFilter | null;
}

const OPERATORS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;
type Bound = keyof typeof OPERATORS;
const BOUNDS = Object.keys(OPERATORS) as Bound[];

/** The filter in terms of the payload; `undefined` = everything. */
export function vectorFilterOf({ collectionId, kind, metadata }: ChunkFilter): VectorFilter | undefined {
  const filters: VectorFilter[] = [];
  if (collectionId !== null) filters.push({ kind: 'any', field: COLLECTION_FIELD, values: [collectionId] });
  if (kind !== null) filters.push({ kind: 'any', field: KIND_FIELD, values: [kind] });
  if (metadata !== null) filters.push(vectorMetadataOf(metadata));
  return filters.length === 0 ? undefined : { kind: 'and', filters };
}

function vectorMetadataOf(filter: MetadataFilter): VectorFilter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, filters: filter.filters.map(vectorMetadataOf) };
    case 'not':
      return { kind: 'not', filter: vectorMetadataOf(filter.filter) };
    case 'range': {
      const { key, pointer: _, ...range } = filter;
      return { ...range, field: metadataField(key) };
    }
    case 'any':
      return anyOf(metadataField(filter.key), filter.values);
  }
}

/** A number is a range of one value: stores compare floats by range only. */
function anyOf(field: string, values: readonly MetadataScalar[]): VectorFilter {
  const numbers = values.filter((value) => typeof value === 'number');
  const others = values.filter((value) => typeof value !== 'number');
  const filters: VectorFilter[] = numbers.map((value) => ({ kind: 'range', field, gte: value, lte: value }));
  if (others.length > 0) filters.push({ kind: 'any', field, values: others });
  return filters.length === 1 ? filters[0]! : { kind: 'or', filters };
}

/**
 * Turns a filter into SQL conditions on `chunks k`. Metadata are read from the payload: it is what the index has, and it has only keys that the document's own
 * collection declares, with values of their types. A chunk whose document has changed since must be kept out by the caller.
 *
 * @param parameters gets the values appended; `$n` in the result counts from its length on. Keys are parameters as well
 * @returns conditions to be joined by AND
 */
export function sqlConditionsOf({ collectionId, kind, metadata }: ChunkFilter, parameters: unknown[]): string[] {
  const conditions: string[] = [];
  if (collectionId !== null) conditions.push(`k.collection_id = $${parameters.push(collectionId)}::uuid`);
  if (kind !== null) conditions.push(`k.payload ->> '${KIND_FIELD}' = $${parameters.push(kind)}::text`);
  if (metadata !== null) conditions.push(sqlMetadataOf(metadata, parameters));
  return conditions;
}

/** Never NULL: what is not there is false, so that `NOT` means the same as in the index. */
function sqlMetadataOf(filter: MetadataFilter, parameters: unknown[]): string {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const parts = filter.filters.map((one) => sqlMetadataOf(one, parameters));
      if (parts.length === 0) return filter.kind === 'and' ? 'true' : 'false';
      return `(${parts.join(filter.kind === 'and' ? ' AND ' : ' OR ')})`;
    }
    case 'not':
      return `NOT ${sqlMetadataOf(filter.filter, parameters)}`;
    case 'any': {
      const value = `k.payload -> $${parameters.push(metadataField(filter.key))}::text`;
      const values = `$${parameters.push(filter.values.map((one) => JSON.stringify(one)))}::jsonb[]`;
      return `coalesce(${value} = ANY(${values}), false)`;
    }
    case 'range': {
      const field = `$${parameters.push(metadataField(filter.key))}::text`;
      const bounds = BOUNDS.filter((bound) => filter[bound] !== undefined).map(
        (bound) => `(k.payload ->> ${field})::numeric ${OPERATORS[bound]} $${parameters.push(filter[bound])}::numeric`,
      );
      // CASE: what is no number must not be cast, whatever the order in which PostgreSQL looks at conditions.
      return `CASE WHEN jsonb_typeof(k.payload -> ${field}) = 'number' THEN ${bounds.join(' AND ')} ELSE false END`;
    }
  }
}

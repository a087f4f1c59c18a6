import { isUuid } from '#kernel';
import type { VectorFilter } from '../vector-filter.js';
import { VectorStoreError } from '../vector-store-error.js';

/**
 * Returns the id in lower case, as it is stored.
 *
 * @throws VectorStoreError `invalid-point` when it is no hyphenated UUID
 */
export function requireUuid(id: string): string {
  if (!isUuid(id)) throw new VectorStoreError('invalid-point', 'A point id must be a hyphenated UUID');
  return id.toLowerCase();
}

/** Returns the filter with every id checked and in lower case. */
export function lowerCaseIds(filter: VectorFilter): VectorFilter {
  switch (filter.kind) {
    case 'ids':
      return { kind: 'ids', ids: filter.ids.map(requireUuid) };
    case 'not':
      return { kind: 'not', filter: lowerCaseIds(filter.filter) };
    case 'and':
    case 'or':
      return { kind: filter.kind, filters: filter.filters.map(lowerCaseIds) };
    default:
      return filter;
  }
}

import type { ScoredPoint } from '../vector-store.js';

/** Places of a result list that are compared. */
const COMPARED = 10;

/**
 * The result lists in what a search returned: of one query, or of several; `null` when it is something else, which cannot be compared.
 */
export function resultListsOf(value: unknown): (readonly ScoredPoint[])[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const lists: readonly unknown[] = value.every((item) => Array.isArray(item)) ? value : [value];
  return lists.every(isResultList) ? [...lists] : null;
}

/** The share of the ten best, 0 to 1, that both lists name; of lists that are shorter, of as many as the longer one has. `null` for two empty lists. */
export function overlapOf(left: readonly ScoredPoint[], right: readonly ScoredPoint[]): number | null {
  const best = new Set(left.slice(0, COMPARED).map(({ id }) => id));
  const others = right.slice(0, COMPARED);
  const size = Math.max(best.size, others.length);
  return size === 0 ? null : others.filter(({ id }) => best.has(id)).length / size;
}

function isResultList(list: unknown): list is readonly ScoredPoint[] {
  return Array.isArray(list) && list.every((item) => typeof item === 'object' && item !== null && 'id' in item && 'score' in item);
}

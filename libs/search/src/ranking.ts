import type { ScoredPoint } from '#vector-store';
import type { Hit } from './search-types.js';

const SCALE = 10_000;

/** The similarity that people see: 4 decimals; float noise of a store stays below that. */
export function roundSimilarity(score: number): number {
  const rounded = Math.round(score * SCALE) / SCALE;
  return rounded === 0 ? 0 : rounded;
}

/** How many rows of one group, for example chunks of one document, may be among the results. */
export interface Grouping<Row> {
  readonly maximum: number;
  groupOf(row: Row): string;
}

export interface RankingOptions<Row> {
  readonly topK: number;
  readonly grouping?: Grouping<Row> | undefined;
}

/**
 * Makes the results of one query: the points whose row still exists and meets the filter, best first, at most `topK`, and of each group at most its maximum.
 *
 * Sorted by the rounded similarity, then by id, so that what looks equal has one order, in every store.
 *
 * @param rows the rows that passed the re-check, by id; points without one are left out
 */
export function rank<Row>(points: Iterable<ScoredPoint>, rows: ReadonlyMap<string, Row>, options: RankingOptions<Row>): Hit<Row>[] {
  const found: Omit<Hit<Row>, 'rank'>[] = [];
  for (const { id, score } of points) {
    const row = rows.get(id);
    if (row !== undefined) found.push({ id, row, similarity: roundSimilarity(score) });
  }
  found.sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1));
  return limitGroups(found, options.grouping)
    .slice(0, options.topK)
    .map((hit, index) => ({ ...hit, rank: index + 1 }));
}

/** Keeps the first ones of each group, in order. */
export function limitGroups<Row, Found extends { readonly row: Row }>(found: Found[], grouping: Grouping<Row> | undefined): Found[] {
  if (grouping === undefined) return found;
  const counts = new Map<string, number>();
  return found.filter(({ row }) => {
    const group = grouping.groupOf(row);
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    return count <= grouping.maximum;
  });
}

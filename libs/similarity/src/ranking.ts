import type { Project } from '#projects';
import type { ScoredPoint } from '#vector-store';
import type { SearchHit } from './search.js';

const SCALE = 10_000;

/** The similarity that people see: 4 decimals; float noise of a store stays below that. */
export function roundSimilarity(score: number): number {
  const rounded = Math.round(score * SCALE) / SCALE;
  return rounded === 0 ? 0 : rounded;
}

/**
 * Makes the results of one query: the points whose row still exists and meets the filter, best first, at most `topK`.
 *
 * Sorted by the rounded similarity, then by id, so that what looks equal has one order, in every store.
 *
 * @param rows the rows that passed the re-check, by id; points without one are left out
 */
export function rank(points: readonly ScoredPoint[], rows: ReadonlyMap<string, Project>, topK: number): SearchHit[] {
  return points
    .flatMap(({ id, score }) => {
      const project = rows.get(id);
      return project === undefined ? [] : [{ project, similarity: roundSimilarity(score) }];
    })
    .sort((a, b) => b.similarity - a.similarity || (a.project.id < b.project.id ? -1 : 1))
    .slice(0, topK)
    .map((hit, index) => ({ ...hit, rank: index + 1 }));
}

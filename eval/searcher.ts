export const SET_NAMES = ['projects', 'documents'] as const;
export type SetName = (typeof SET_NAMES)[number];

export const MODES = ['vector', 'keyword', 'hybrid'] as const;
export type Mode = (typeof MODES)[number];

/** What the evaluation asks of a system under evaluation. */
export interface Searcher {
  /** At most `k` external ids of rows of the set, best first, each once. */
  search(set: SetName, query: string, mode: Mode, k: number): Promise<string[]>;
}

import type { Project, ProjectFilter } from '#projects';
import type { ConsistencyDemand, Freshness, HybridResult, IndexView, SearchMode } from '#search';

/** What every search decides, beside what it compares with. */
export interface SearchOptions {
  readonly mode: SearchMode;
  /** 1 to 100. */
  readonly topK: number;
  /** Keeps similarities >= threshold; a cosine, -1 to 1. `null` = the configured default, for what only vectors found. */
  readonly threshold: number | null;
  readonly filter: ProjectFilter;
  /** A write that the answer should show. */
  readonly consistency?: ConsistencyDemand | undefined;
}

export interface TextSearch extends SearchOptions {
  /** 1 to 8,000 characters. */
  readonly query: string;
}

export interface BatchSearch extends SearchOptions {
  /** 1 to 50. */
  readonly queries: readonly string[];
}

/** Results of one query, best first, equal ones by id ascending. */
export type SearchResult = HybridResult<Project>;

export interface IndexStatistics extends Freshness {
  readonly source: 'local' | 'qdrant';
  readonly index: IndexView;
  readonly collection: string;
  readonly status: string;
  readonly dimensions: number;
  readonly pointsCount: number;
  readonly indexedVectorsCount: number;
}

import type { Project, ProjectFilter } from '#projects';
import type { ConsistencyDemand, Freshness, Hit, IndexView } from '#search';

/** What every search decides, beside what it compares with. */
export interface SearchOptions {
  /** 1 to 100. */
  readonly topK: number;
  /** Keeps similarities >= threshold; a cosine, -1 to 1. `null` = the configured default. */
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

/** Results of one query; by similarity descending, equal ones by id ascending. */
export interface SearchResult {
  readonly hits: Hit<Project>[];
  readonly isTruncated: boolean;
}

export interface IndexStatistics extends Freshness {
  readonly source: 'local' | 'qdrant';
  readonly index: IndexView;
  readonly collection: string;
  readonly status: string;
  readonly dimensions: number;
  readonly pointsCount: number;
  readonly indexedVectorsCount: number;
}

import type { Project, ProjectFilter } from '#projects';
import type { ConsistencyToken } from '#sync';

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

export interface ConsistencyDemand {
  readonly token: ConsistencyToken;
  /** Longest time to wait for the index, milliseconds; then the answer is given as it is. */
  readonly waitMs: number;
}

export interface TextSearch extends SearchOptions {
  /** 1 to 8,000 characters. */
  readonly query: string;
}

export interface BatchSearch extends SearchOptions {
  /** 1 to 50. */
  readonly queries: readonly string[];
}

export interface SearchHit {
  readonly project: Project;
  /** Cosine, 4 decimals. */
  readonly similarity: number;
  /** From 1, without gaps. */
  readonly rank: number;
}

/** Results of one query; by similarity descending, equal ones by id ascending. */
export interface SearchResult {
  readonly hits: SearchHit[];
  readonly isTruncated: boolean;
}

/** Which index answered, and how far it is behind the rows. */
export interface IndexView {
  readonly generation: string;
  readonly model: string;
  /** Rows whose latest change is not in the index yet. */
  readonly pending: number;
}

/** Who answered. */
export interface Provenance {
  /** Whether a copy in this process answered, wholly or in part, because the index itself did not. */
  readonly isDegraded: boolean;
  readonly source: 'local' | 'qdrant';
  /** How far behind the rows a degraded answer may be, seconds; `null` when it is not degraded. */
  readonly indexAgeSeconds: number | null;
}

export interface Freshness extends Provenance {
  readonly index: IndexView;
  /** Only when the search named a write. */
  readonly consistency?: Consistency;
}

export interface Consistency {
  /** Whether the index that was searched is certain to hold that write, or a later one of the row. */
  readonly isFresh: boolean;
  /** Rows whose change is not in the index yet, counted for this answer; `null` when it is fresh. */
  readonly backlog: number | null;
}

export interface IndexStatistics extends Freshness {
  readonly collection: string;
  readonly status: string;
  readonly dimensions: number;
  readonly pointsCount: number;
  readonly indexedVectorsCount: number;
}

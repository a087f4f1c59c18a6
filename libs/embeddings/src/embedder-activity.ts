import type { DurationCounts } from '#kernel';

export interface QueryCacheStatistics {
  readonly hits: number;
  /** Calls that joined a run of the same text. */
  readonly joined: number;
  readonly misses: number;
  readonly size: number;
}

/** One kind of texts: those of searches, or documents. Numbers of the process, since the embedder was made. */
export interface EmbedderLane {
  /** Texts, or requests to a service, that wait for their turn. */
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
  /** Of one text in a thread, or of one request to a service; waiting for a turn excluded. */
  readonly runs: DurationCounts;
}

/** What an embedder has done. */
export interface EmbedderActivity {
  readonly queries: EmbedderLane;
  readonly documents: EmbedderLane;
  readonly cache: QueryCacheStatistics;
}

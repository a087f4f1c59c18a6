import type { ConsistencyToken } from '#sync';

export interface ConsistencyDemand {
  readonly token: ConsistencyToken;
  /** Longest time to wait for the index, milliseconds; then the answer is given as it is. */
  readonly waitMs: number;
}

/** A row that was found. */
export interface Hit<Row> {
  readonly id: string;
  readonly row: Row;
  /** Cosine, 4 decimals. */
  readonly similarity: number;
  /** From 1, without gaps. */
  readonly rank: number;
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

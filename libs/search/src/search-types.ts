import type { ConsistencyToken } from '#sync';

export interface ConsistencyDemand {
  readonly token: ConsistencyToken;
  /** Longest time to wait for the index, milliseconds; then the answer is given as it is. */
  readonly waitMs: number;
}

/**
 * How rows are found. `vector`: by meaning; `keyword`: by words, in PostgreSQL; `hybrid`: both, fused by their ranks.
 */
export const SEARCH_MODES = ['vector', 'keyword', 'hybrid'] as const;
export type SearchMode = (typeof SEARCH_MODES)[number];

/** A row that was found by its vector. */
export interface Hit<Row> {
  readonly id: string;
  readonly row: Row;
  /** Cosine, 4 decimals. */
  readonly similarity: number;
  /** From 1, without gaps. */
  readonly rank: number;
}

/** Where a row stands in each list that it was found by; `null` = the list does not have it. */
export interface HitScores {
  readonly vector: { readonly similarity: number; readonly rank: number } | null;
  readonly keyword: { readonly score: number; readonly rank: number } | null;
  /** What the order was made by; see `fuse`. */
  readonly fused: number;
}

/** A row that was found, however. */
export interface FoundRow<Row> {
  readonly id: string;
  readonly row: Row;
  /** Cosine, 4 decimals; `null` when no vector was asked for, or the index does not have the row yet. */
  readonly similarity: number | null;
  /** From 1, without gaps. */
  readonly rank: number;
  /** `null` when only vectors were asked for: then similarity and rank say everything. */
  readonly scores: HitScores | null;
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
  /** Whether something else answered, wholly or in part, because the index itself or the model did not: a copy in this process, or the words alone. */
  readonly isDegraded: boolean;
  /** `keyword`: neither index nor copy; PostgreSQL found the words of the text. */
  readonly source: 'local' | 'qdrant' | 'keyword';
  /** How far behind the rows the copy that answered may be, seconds; `null` when none did: the index has no age, and keywords are found in the rows. */
  readonly indexAgeSeconds: number | null;
}

export interface Freshness extends Provenance {
  /** `null` before the first index serves: only keywords can answer then. */
  readonly index: IndexView | null;
  /** Only when the search named a write. */
  readonly consistency?: Consistency;
}

export interface Consistency {
  /** Whether the index that was searched is certain to hold that write, or a later one of the row. */
  readonly isFresh: boolean;
  /** Rows whose change is not in the index yet, counted for this answer; `null` when it is fresh. */
  readonly backlog: number | null;
}

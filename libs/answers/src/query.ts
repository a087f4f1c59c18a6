import type { FoundChunk, MetadataFilter } from '#documents';
import type { Freshness, HitScores, SearchMode } from '#search';

export interface QueryRequest {
  /** 1 to 8,000 characters. */
  readonly query: string;
  /** Chunks, 1 to 100. */
  readonly topK: number;
  /** Name or id; `null` = all of them. */
  readonly collection: string | null;
  readonly kind: string | null;
  readonly filter: MetadataFilter | null;
  /** A cosine; `null` = the configured default, for what only vectors found. */
  readonly threshold: number | null;
  readonly mode: SearchMode;
  /** Most chunks of one document. */
  readonly chunksPerDocument: number;
}

/** A chunk that answers the query. */
export interface Passage extends FoundChunk {
  /** Cosine, 4 decimals; `null` when no vector was asked for, or the index does not have the chunk yet. */
  readonly similarity: number | null;
  /** From 1, without gaps. */
  readonly rank: number;
  /** `null` when only vectors were asked for. */
  readonly scores: HitScores | null;
  /** Part of the text with its best sentence between two `**`. */
  readonly snippet: string;
}

export interface QueryResult extends Freshness {
  readonly passages: Passage[];
  readonly isTruncated: boolean;
}

import type { RefusedRow } from './source-row.js';

/** What became of the vectors of the documents that were read. */
export interface VectorCounts {
  /** In the cache for every chosen generation: nothing is embedded. */
  kept: number;
  /** Of the kept ones, those whose document is indexed with a title or heading that the source's vector knows nothing of. */
  keptOfOtherText: number;
  /** Embedded anew, because the document has several chunks: the vector is of the whole. */
  severalChunks: number;
  /** Embedded anew, because the source has no vector. */
  withoutVector: number;
  /** Embedded anew, because the chunks could not be made at once. */
  chunkedLater: number;
  /** Not kept, because the same text has another vector already. */
  otherVector: number;
}

/** A dry run counts what would be. */
export interface PgvectorImportCounts {
  /** Rows of this run. */
  read: number;
  inserted: number;
  updated: number;
  unchanged: number;
  refused: number;
  readonly vectors: VectorCounts;
}

export interface PgvectorImportResult extends PgvectorImportCounts {
  /** Rows of the source when the run began. */
  readonly total: number;
  /** Rows that earlier runs had dealt with. */
  readonly skipped: number;
  /** Over all runs since the first row. */
  readonly refusedInAll: number;
  /** The run was called off; `--resume` goes on. */
  readonly isInterrupted: boolean;
  /** The first of them; all were handed to `onRefused`. */
  readonly refusedRows: readonly RefusedRow[];
}

export function newImportCounts(): PgvectorImportCounts {
  const vectors = { kept: 0, keptOfOtherText: 0, severalChunks: 0, withoutVector: 0, chunkedLater: 0, otherVector: 0 };
  return { read: 0, inserted: 0, updated: 0, unchanged: 0, refused: 0, vectors };
}

import type { LedgerError } from '../ledger/ledger-entry.js';

/** An entry that failed too often and is left alone until its row changes or somebody requeues it. */
export interface DeadLetter {
  readonly generationId: number;
  readonly source: string;
  readonly sourceId: string;
  /** Ledger version that failed. */
  readonly version: number;
  readonly attempts: number;
  /** Why the last attempt failed. */
  readonly error: LedgerError;
  /** When the row first changed without the index following. */
  readonly changedAt: Date;
  /** `null` = it counts. */
  readonly mute: DeadLetterMute | null;
}

/** Why somebody has seen a dead letter and left it. */
export interface DeadLetterMute {
  readonly reason: string;
  readonly at: Date;
}

/** Which dead letters are meant; nothing given = all. Those of retired generations never are. */
export interface DeadLetterScope {
  readonly source?: string;
  readonly generationId?: number;
}

export interface DeadLetterQuery extends DeadLetterScope {
  /** Code of the last error, for example `vector-store.invalid-point`. */
  readonly code?: string;
  /** 1 or more. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface DeadLetterPage {
  /** In ascending order of generation and source id. */
  readonly items: DeadLetter[];
  /** Pass as `after` for the next page; `null` at the end. */
  readonly next: string | null;
}

/** One of: these rows (in every generation of the scope), everything that failed with this code, or everything. */
export type DeadLetterSelection = { readonly ids: readonly string[] } | { readonly code: string } | { readonly all: true };

export interface DeadLetterCount {
  readonly generationId: number;
  readonly source: string;
  readonly code: string;
  readonly count: number;
}

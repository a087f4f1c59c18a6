import type { ReadPosition } from './parsing/read-row.js';

export const IMPORT_FORMATS = ['ndjson', 'csv', 'markdown', 'text'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export const IMPORT_KINDS = ['projects', 'documents'] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

export const JOB_STATES = ['uploading', 'queued', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** States that a job never leaves by itself; a failed one can be resumed. */
export const OVER_STATES: ReadonlySet<JobState> = new Set<JobState>(['done', 'failed', 'cancelled']);

/** What the caller asked for; stored with the job. */
export interface ImportOptions {
  /** Of documents that name no collection; `null` = each has to. */
  readonly collectionId: string | null;
  /** Of a CSV file; `null` = found out. */
  readonly delimiter: string | null;
  /** Everything is done and then taken back, batch by batch. */
  readonly isDryRun: boolean;
}

/** Rows of the file that have been dealt with. */
export interface ImportCounts {
  /** Without blank lines and the header; accepted + rejected. */
  readonly lines: number;
  /** inserted + updated + unchanged. */
  readonly accepted: number;
  readonly inserted: number;
  readonly updated: number;
  /** Were there already, equal, and were not written. */
  readonly unchanged: number;
  readonly rejected: number;
}

export interface ImportFailure {
  readonly code: string;
  readonly detail: string;
}

/** One import, as everybody sees it. */
export interface ImportJob {
  readonly id: string;
  readonly kind: ImportKind;
  readonly format: ImportFormat;
  readonly state: JobState;
  readonly options: ImportOptions;
  readonly fileName: string | null;
  /** `null` while the file is uploaded. */
  readonly totalBytes: number | null;
  readonly sha256: Buffer | null;
  readonly counts: ImportCounts;
  /** Problems found, those that were not stored included. */
  readonly problems: number;
  readonly checkpoint: ReadPosition;
  readonly isCancelRequested: boolean;
  readonly attempts: number;
  readonly error: ImportFailure | null;
  /** Time in which it was worked on. */
  readonly activeMs: number;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** Problems that are stored per job; of the others only the number is kept. */
export const PROBLEMS_STORED_MAXIMUM = 1_000;

/** Runs in a row that end without having written a single batch, by an error or with their process, before the job is given up. */
export const ATTEMPTS_MAXIMUM = 5;

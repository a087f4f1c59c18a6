import type { ImportFailure, ImportFormat, ImportJob, ImportKind, ImportOptions, JobState } from './import-job.js';
import type { ReadPosition } from './parsing/read-row.js';

const asTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS ${column}`;

/** Every column that {@link importJobOf} reads. */
export const JOB_COLUMNS = [
  'id, kind, format, state, options, file_name, total_bytes, sha256, lines, accepted, inserted, updated, unchanged, rejected, problems',
  'checkpoint, is_cancel_requested, attempts, error, active_ms',
  asTime('created_at'),
  asTime('started_at'),
  asTime('finished_at'),
].join(', ');

/** A row as the driver gives it: bigint as text. */
export interface ImportJobRecord {
  readonly id: string;
  readonly kind: ImportKind;
  readonly format: ImportFormat;
  readonly state: JobState;
  readonly options: ImportOptions;
  readonly file_name: string | null;
  readonly total_bytes: string | null;
  readonly sha256: Buffer | null;
  readonly lines: number;
  readonly accepted: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly rejected: number;
  readonly problems: number;
  readonly checkpoint: ReadPosition;
  readonly is_cancel_requested: boolean;
  readonly attempts: number;
  readonly error: ImportFailure | null;
  readonly active_ms: string;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

export function importJobOf(row: ImportJobRecord): ImportJob {
  const { lines, accepted, inserted, updated, unchanged, rejected } = row;
  return {
    id: row.id,
    kind: row.kind,
    format: row.format,
    state: row.state,
    options: row.options,
    fileName: row.file_name,
    totalBytes: row.total_bytes === null ? null : Number(row.total_bytes),
    sha256: row.sha256,
    counts: { lines, accepted, inserted, updated, unchanged, rejected },
    problems: row.problems,
    checkpoint: row.checkpoint,
    isCancelRequested: row.is_cancel_requested,
    attempts: row.attempts,
    error: row.error,
    activeMs: Number(row.active_ms),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

import { migrationSummary } from '../output/migration-summary.js';
import { progressBar } from '../output/progress-bar.js';
import { durationText } from '../output/words.js';

export interface ImportJobReply {
  readonly id: string;
  readonly state: 'uploading' | 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  readonly dry_run: boolean;
  readonly progress: {
    readonly lines: number;
    readonly accepted: number;
    readonly inserted: number;
    readonly updated: number;
    readonly unchanged: number;
    readonly rejected: number;
    readonly bytes: number;
    readonly total_bytes: number | null;
    readonly rate_per_second: number | null;
    readonly eta_seconds: number | null;
  };
  readonly problems: { readonly found: number };
  readonly error: { readonly code: string; readonly detail: string } | null;
  readonly notice: string | null;
  readonly index_pending: number | null;
}

export interface ImportProblem {
  readonly line: number;
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

const MEBIBYTE = 1_048_576;
const NOT_RUNNING: Partial<Record<ImportJobReply['state'], string>> = {
  uploading: 'Uploading',
  queued: 'Waiting for its turn',
};

/** How far an import is, in one line. */
export function progressText({ state, progress }: ImportJobReply, isTerminal: boolean): string {
  const waiting = NOT_RUNNING[state];
  if (waiting !== undefined) return waiting;
  const { lines, rejected, bytes, total_bytes, rate_per_second, eta_seconds } = progress;
  const share = total_bytes === null || total_bytes === 0 ? 0 : Math.min(1, bytes / total_bytes);
  const parts = [
    `${isTerminal ? `${progressBar(share)} ` : ''}${Math.floor(share * 100)} %`,
    `${lines} rows`,
    ...(rejected === 0 ? [] : [`${rejected} rejected`]),
    ...(rate_per_second === null ? [] : [`${Math.round(rate_per_second)}/s`]),
    ...(eta_seconds === null ? [] : [`${durationText(eta_seconds)} left`]),
  ];
  return parts.join(', ');
}

/** How much of a file has been sent. @param totalBytes `null` = not known */
export function uploadText(sentBytes: number, totalBytes: number | null, isTerminal: boolean): string {
  if (totalBytes === null || totalBytes === 0) return `Uploading, ${(sentBytes / MEBIBYTE).toFixed(1)} MiB`;
  const share = Math.min(1, sentBytes / totalBytes);
  return `Uploading ${isTerminal ? `${progressBar(share)} ` : ''}${Math.floor(share * 100)} %`;
}

/** How to come back to an import. */
export function comeBackText(id: string): string {
  return `kindred import --resume ${id}`;
}

/** How long the service has worked on the rows of an import, as its rate says; `null` = it does not. */
export function workedMs({ progress: { lines, rate_per_second } }: ImportJobReply): number | null {
  return rate_per_second === null || rate_per_second === 0 ? null : (lines / rate_per_second) * 1_000;
}

/** One refused line, as compilers print them. */
export function problemText(file: string, { line, pointer, code, detail }: ImportProblem): string {
  return `${file}:${line}: ${pointer === '' ? '' : `${pointer} `}${detail} (${code})`;
}

/** What became of the file. @param elapsedMs from the first byte of the upload to the last row; of an import that was come back to, {@link workedMs} */
export function summaryText(job: ImportJobReply, elapsedMs: number): string {
  const { lines, accepted, inserted, updated, unchanged, rejected } = job.progress;
  const notice = job.notice === null ? [] : [`${job.notice}.`];
  return [
    // Before words that would not be true by themselves.
    ...(job.dry_run ? notice : []),
    ...(job.state === 'done'
      ? []
      : [`The import is ${job.state}${job.error === null ? '' : `: ${job.error.detail} (${job.error.code})`}.`]),
    migrationSummary({ total: lines, succeeded: accepted, failed: rejected, elapsedMs }),
    `${inserted} new, ${updated} changed, ${unchanged} unchanged.`,
    ...(job.dry_run ? [] : notice),
    ...(job.index_pending === null || job.index_pending === 0 ? [] : [`Not searchable yet: ${job.index_pending}`]),
  ].join('\n');
}

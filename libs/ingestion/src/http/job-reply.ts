import { OVER_STATES, PROBLEMS_STORED_MAXIMUM, type ImportJob } from '../import-job.js';
import type { JobReply } from './job.schemas.js';

/** A job in the form of the API. */
export function jobReply(job: ImportJob, indexPending: number | null): JobReply {
  const stored = Math.min(job.problems, PROBLEMS_STORED_MAXIMUM);
  return {
    id: job.id,
    kind: job.kind,
    format: job.format,
    state: job.state,
    dry_run: job.options.isDryRun,
    collection_id: job.options.collectionId,
    file_name: job.fileName,
    sha256: job.sha256?.toString('hex') ?? null,
    progress: { ...job.counts, ...paceOf(job) },
    problems: { found: job.problems, stored, left_out: job.problems - stored },
    error: job.error,
    notice: noticeOf(job),
    index_pending: indexPending,
    created_at: job.createdAt,
    started_at: job.startedAt,
    finished_at: job.finishedAt,
  };
}

function paceOf({ state, counts, checkpoint, totalBytes, activeMs }: ImportJob) {
  const bytes = state === 'done' && totalBytes !== null ? totalBytes : checkpoint.offset;
  const isMoving = state === 'running' && totalBytes !== null && bytes > 0 && activeMs > 0;
  return {
    bytes,
    total_bytes: totalBytes,
    rate_per_second: activeMs === 0 || counts.lines === 0 ? null : rounded(counts.lines / (activeMs / 1_000)),
    eta_seconds: isMoving ? rounded(((totalBytes - bytes) / bytes) * (activeMs / 1_000)) : null,
  };
}

function noticeOf({ state, counts, options, isCancelRequested }: ImportJob): string | null {
  const written = counts.inserted + counts.updated;
  if (options.isDryRun) return OVER_STATES.has(state) ? 'A dry run: nothing was written' : 'A dry run: nothing is written';
  if (state === 'running' && isCancelRequested) return 'It ends after the rows that are being written now';
  if (state === 'cancelled' || state === 'failed') {
    return written === 0 ? 'No row was written' : `${written} ${written === 1 ? 'row' : 'rows'} had been written before, and stay`;
  }
  return null;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

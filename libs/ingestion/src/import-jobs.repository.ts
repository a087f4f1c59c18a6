import { UnitOfWork, type SqlSession, type WithinWrite } from '#database';
import { DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import { JOB_STATES, type ImportFormat, type ImportJob, type ImportKind, type ImportOptions, type JobState } from './import-job.js';
import { importJobOf, JOB_COLUMNS, type ImportJobRecord } from './import-job.record.js';
import type { LineProblem } from './parsing/read-row.js';
import { removeStagedFiles } from './staging/remove-staged-files.js';

/** Imports that may be open at once: each holds a whole file in the database. */
const OPEN_MAXIMUM = 20;

const CREATE = `
INSERT INTO ingestion_jobs (kind, format, state, options, file_name)
VALUES ($1, $2, 'uploading', $3::jsonb, $4) RETURNING id`;

/* One after the other, until the transaction ends: two that count at the same time would not see each other. */
const LOCK_OPENING = `SELECT pg_advisory_xact_lock(hashtextextended('ingestion_jobs.open', 0))`;
const COUNT_OPEN = `SELECT count(*)::int AS open FROM ingestion_jobs WHERE state IN ('uploading', 'queued', 'running')`;

const FINISH_UPLOAD = `
UPDATE ingestion_jobs SET state = 'queued', total_bytes = $2::bigint, sha256 = $3::bytea, updated_at = now()
WHERE id = $1::uuid AND state = 'uploading' RETURNING ${JOB_COLUMNS}`;

/* A run that is under way ends itself at its next batch; one whose process has died has nobody to do it. */
const CANCEL = `
UPDATE ingestion_jobs SET is_cancel_requested = true, updated_at = now(),
  state = CASE WHEN state = 'running' AND lease_until > clock_timestamp() THEN state ELSE 'cancelled' END,
  finished_at = CASE WHEN state = 'running' AND lease_until > clock_timestamp() THEN finished_at ELSE now() END
WHERE id = $1::uuid AND state IN ('uploading', 'queued', 'running') RETURNING state`;

const RESUME = `
UPDATE ingestion_jobs j SET state = 'queued', error = NULL, attempts = 0, finished_at = NULL, is_cancel_requested = false, queue_id = NULL, updated_at = now()
WHERE id = $1::uuid AND state = 'failed' AND EXISTS (SELECT 1 FROM ingestion_pieces p WHERE p.job_id = j.id) RETURNING ${JOB_COLUMNS}`;

export interface NewImport {
  readonly kind: ImportKind;
  readonly format: ImportFormat;
  readonly options: ImportOptions;
  readonly fileName: string | null;
}

export interface ImportProblemPage {
  readonly items: readonly (LineProblem & { readonly ordinal: number })[];
  readonly hasMore: boolean;
}

/** Jobs as their owners see them: made, looked at, cancelled, resumed. */
@Injectable()
export class ImportJobsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Begins an upload; returns the id of the job. @throws DomainError `imports.too-many` */
  async create({ kind, format, options, fileName }: NewImport): Promise<string> {
    return this.opening(async (session) => {
      const { rows } = await session.query<{ id: string }>(CREATE, [kind, format, JSON.stringify(options), fileName]);
      return rows[0]!.id;
    });
  }

  /**
   * Makes the upload a job that waits for its turn; `null` when it was cancelled meanwhile.
   *
   * @param within is committed together with that
   */
  async finishUpload(id: string, totalBytes: number, sha256: Buffer, within?: WithinWrite<ImportJob>): Promise<ImportJob | null> {
    return this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<ImportJobRecord>(FINISH_UPLOAD, [id, totalBytes, sha256]);
      if (rows[0] === undefined) return null;
      const job = importJobOf(rows[0]);
      await within?.(session, job);
      return job;
    });
  }

  /** Removes an upload that came to nothing, with its bytes. */
  async discardUpload(id: string): Promise<void> {
    await this.unitOfWork.query(`DELETE FROM ingestion_jobs WHERE id = $1::uuid AND state = 'uploading'`, [id]);
  }

  /** @throws DomainError `jobs.not-found` */
  async get(id: string): Promise<ImportJob> {
    const { rows } = await this.unitOfWork.query<ImportJobRecord>(`SELECT ${JOB_COLUMNS} FROM ingestion_jobs WHERE id = $1::uuid`, [id]);
    if (rows[0] === undefined) throw new DomainError('jobs.not-found');
    return importJobOf(rows[0]);
  }

  /** Newest first, behind `before`. */
  async list(before: string | null, limit: number): Promise<{ readonly items: ImportJob[]; readonly hasMore: boolean }> {
    const { rows } = await this.unitOfWork.query<ImportJobRecord>(
      `SELECT ${JOB_COLUMNS} FROM ingestion_jobs WHERE $1::uuid IS NULL OR id < $1::uuid ORDER BY id DESC LIMIT $2::int`,
      [before, limit + 1],
    );
    return { items: rows.slice(0, limit).map(importJobOf), hasMore: rows.length > limit };
  }

  /** How many there are in each state. */
  async countByState(): Promise<Record<JobState, number>> {
    const { rows } = await this.unitOfWork.query<{ state: JobState; count: number }>(
      'SELECT state, count(*)::int AS count FROM ingestion_jobs GROUP BY state',
    );
    const counts = new Map(rows.map(({ state, count }) => [state, count]));
    return Object.fromEntries(JOB_STATES.map((state) => [state, counts.get(state) ?? 0])) as Record<JobState, number>;
  }

  /** In the order in which they were found, behind `after`. */
  async problems(id: string, after: number, limit: number): Promise<ImportProblemPage> {
    const { rows } = await this.unitOfWork.query<LineProblem & { readonly ordinal: number }>(
      'SELECT ordinal, line, pointer, code, detail FROM ingestion_problems WHERE job_id = $1::uuid AND ordinal > $2::int ORDER BY ordinal LIMIT $3::int',
      [id, after, limit + 1],
    );
    return { items: rows.slice(0, limit), hasMore: rows.length > limit };
  }

  /** Cancels what is not over; of a run under way only the wish is noted. Idempotent. */
  async cancel(id: string): Promise<void> {
    await this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<{ state: JobState }>(CANCEL, [id]);
      if (rows[0]?.state === 'cancelled') await removeStagedFiles(session, [id]);
    });
  }

  /** Lets a failed job go on behind its checkpoint; `null` when it has not failed, or its file is gone. @throws DomainError `imports.too-many` */
  async resume(id: string): Promise<ImportJob | null> {
    return this.opening(async (session) => {
      const { rows } = await session.query<ImportJobRecord>(RESUME, [id]);
      return rows[0] === undefined ? null : importJobOf(rows[0]);
    });
  }

  /** Runs what opens a job, and takes it back when there are too many then. */
  private async opening<T>(open: (session: SqlSession) => Promise<T>): Promise<T> {
    return this.unitOfWork.run(async (session) => {
      await session.query(LOCK_OPENING);
      const opened = await open(session);
      const { rows } = await session.query<{ open: number }>(COUNT_OPEN);
      if (opened !== null && rows[0]!.open > OPEN_MAXIMUM)
        throw new DomainError('imports.too-many', { detail: `${OPEN_MAXIMUM} imports are open already` });
      return opened;
    });
  }
}

import { UnitOfWork, type SqlSession } from '#database';
import { Injectable } from '@nestjs/common';
import {
  ATTEMPTS_MAXIMUM,
  PROBLEMS_STORED_MAXIMUM,
  type ImportCounts,
  type ImportFailure,
  type ImportJob,
  type JobState,
} from '../import-job.js';
import { importJobOf, JOB_COLUMNS, type ImportJobRecord } from '../import-job.record.js';
import type { LineProblem, ReadPosition } from '../parsing/read-row.js';
import { removeStagedFiles } from '../staging/remove-staged-files.js';
import { giveBackAssignments } from './give-back.js';

/** The job belongs to another run now, or to none: nothing may be written in its name. */
export class RunLostError extends Error {
  constructor() {
    super('The lease of the import has ended');
    this.name = 'RunLostError';
  }
}

/* By the database's clock. A run whose lease has ended is taken over; the one of a job that is given up is ended by the sweep. */
const CLAIM = `
UPDATE ingestion_jobs SET state = 'running', lease_token = $2::uuid, lease_until = clock_timestamp() + $3::int * interval '1 millisecond',
  attempts = attempts + 1, started_at = coalesce(started_at, now()), updated_at = now()
WHERE id = $1::uuid AND (state = 'queued' OR (state = 'running' AND lease_until <= clock_timestamp() AND attempts < ${ATTEMPTS_MAXIMUM})) RETURNING ${JOB_COLUMNS}`;

const RENEW = `
UPDATE ingestion_jobs SET lease_until = clock_timestamp() + $3::int * interval '1 millisecond'
WHERE id = $1::uuid AND lease_token = $2::uuid AND state = 'running' RETURNING is_cancel_requested`;

/* FOR UPDATE: nobody takes the job over, or cancels it, before the batch has been written. */
const ASSERT = `
SELECT is_cancel_requested FROM ingestion_jobs
WHERE id = $1::uuid AND lease_token = $2::uuid AND state = 'running' AND lease_until > clock_timestamp() FOR UPDATE`;

const ADVANCE = `
UPDATE ingestion_jobs SET lines = $2, accepted = $3, inserted = $4, updated = $5, unchanged = $6, rejected = $7, problems = $8,
  checkpoint = $9::jsonb, active_ms = $10::bigint, attempts = 0, updated_at = now()
WHERE id = $1::uuid`;

const ADD_PROBLEMS = `
INSERT INTO ingestion_problems (job_id, ordinal, line, pointer, code, detail)
SELECT $1::uuid, * FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[])`;

const NOTE_EXTERNAL_IDS =
  'INSERT INTO ingestion_external_ids (job_id, external_id, line) SELECT $1::uuid, * FROM unnest($2::text[], $3::int[])';

/* Whether it is given up is for the row to say: a batch that was written meanwhile has set attempts to 0. */
const RELEASE = `
UPDATE ingestion_jobs SET attempts = CASE WHEN $3::boolean THEN attempts ELSE greatest(0, attempts - 1) END,${giveBackAssignments(
  `($3::boolean AND attempts >= ${ATTEMPTS_MAXIMUM})`,
  '$4',
)}
WHERE id = $1::uuid AND lease_token = $2::uuid AND state = 'running' RETURNING state`;

const FINISH = `
UPDATE ingestion_jobs SET state = $3, error = $4::jsonb, lease_token = NULL, lease_until = NULL, finished_at = now(), updated_at = now()
WHERE id = $1::uuid AND lease_token = $2::uuid AND state = 'running'`;

export interface HeldRun {
  readonly jobId: string;
  readonly token: string;
}

/** Where a job stands after a batch. */
export interface RunProgress {
  readonly counts: ImportCounts;
  readonly problems: number;
  readonly checkpoint: ReadPosition;
  readonly activeMs: number;
}

/** What a run may do to its job. Everything that changes rows happens in one transaction with the checkpoint, and only under the token of the run. */
@Injectable()
export class ImportRunStore {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Takes the job for a run, or returns `null` when it is over, or another run has it. */
  async claim(jobId: string, token: string, leaseMs: number): Promise<ImportJob | null> {
    const { rows } = await this.unitOfWork.query<ImportJobRecord>(CLAIM, [jobId, token, leaseMs]);
    return rows[0] === undefined ? null : importJobOf(rows[0]);
  }

  /** Keeps the job for another while; returns whether somebody wants it cancelled. @throws RunLostError */
  async renew({ jobId, token }: HeldRun, leaseMs: number): Promise<boolean> {
    const { rows } = await this.unitOfWork.query<{ is_cancel_requested: boolean }>(RENEW, [jobId, token, leaseMs]);
    if (rows[0] === undefined) throw new RunLostError();
    return rows[0].is_cancel_requested;
  }

  /**
   * Runs one batch in one transaction; false = nothing was done, because somebody wants the job cancelled.
   *
   * @throws RunLostError, and nothing of the batch is kept
   */
  async batch({ jobId, token }: HeldRun, work: (session: SqlSession) => Promise<void>): Promise<boolean> {
    return this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<{ is_cancel_requested: boolean }>(ASSERT, [jobId, token]);
      if (rows[0] === undefined) throw new RunLostError();
      if (rows[0].is_cancel_requested) return false;
      await work(session);
      return true;
    });
  }

  /** Which of the keys (of projects: the external id; of documents: with the collection) an earlier batch has named, with their lines. */
  async findKeys(jobId: string, keys: readonly string[]): Promise<Map<string, number>> {
    if (keys.length === 0) return new Map();
    const { rows } = await this.unitOfWork.query<{ external_id: string; line: number }>(
      'SELECT external_id, line FROM ingestion_external_ids WHERE job_id = $1::uuid AND external_id = ANY($2::text[])',
      [jobId, keys],
    );
    return new Map(rows.map(({ external_id, line }) => [external_id, line]));
  }

  /** Notes keys that no batch has named before. */
  async noteKeys(session: SqlSession, jobId: string, lines: ReadonlyMap<string, number>): Promise<void> {
    if (lines.size > 0) await session.query(NOTE_EXTERNAL_IDS, [jobId, [...lines.keys()], [...lines.values()]]);
  }

  /** Stores problems up to the limit per job. @param found problems of the job before these */
  async addProblems(session: SqlSession, jobId: string, found: number, problems: readonly LineProblem[]): Promise<void> {
    const stored = problems.slice(0, Math.max(0, PROBLEMS_STORED_MAXIMUM - found));
    if (stored.length === 0) return;
    await session.query(ADD_PROBLEMS, [
      jobId,
      stored.map((_, index) => found + index + 1),
      stored.map(({ line }) => line),
      stored.map(({ pointer }) => pointer),
      stored.map(({ code }) => code),
      stored.map(({ detail }) => detail),
    ]);
  }

  async advance(session: SqlSession, jobId: string, { counts, problems, checkpoint, activeMs }: RunProgress): Promise<void> {
    const { lines, accepted, inserted, updated, unchanged, rejected } = counts;
    await session.query(ADVANCE, [
      jobId,
      lines,
      accepted,
      inserted,
      updated,
      unchanged,
      rejected,
      problems,
      JSON.stringify(checkpoint),
      Math.round(activeMs),
    ]);
  }

  /**
   * Gives the job back to the queue, or ends it: when somebody wants it cancelled, or when too many runs in a row have failed before their first batch.
   *
   * @param isAttemptCounted false = it was no fault of the job
   * @param failure why it has failed, if this was the last attempt
   * @returns its state then; `null` = the lease was lost
   */
  async release({ jobId, token }: HeldRun, isAttemptCounted: boolean, failure: ImportFailure): Promise<JobState | null> {
    return this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<{ state: JobState }>(RELEASE, [jobId, token, isAttemptCounted, JSON.stringify(failure)]);
      const state = rows[0]?.state ?? null;
      if (state === 'cancelled') await removeStagedFiles(session, [jobId]);
      return state;
    });
  }

  /** Ends the job, and removes its file. */
  async finish(held: HeldRun, state: 'done' | 'cancelled'): Promise<void> {
    await this.unitOfWork.run(async (session) => {
      await this.finishIn(session, held, state, null);
      await removeStagedFiles(session, [held.jobId]);
    });
  }

  /** Ends the job because its file cannot be read any further, and removes the file: what was written before stays, and nothing can be resumed. */
  async refuse(held: HeldRun, problem: LineProblem): Promise<void> {
    await this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<{ problems: number }>(
        `UPDATE ingestion_jobs SET problems = problems + 1 WHERE id = $1::uuid AND lease_token = $2::uuid AND state = 'running' RETURNING problems`,
        [held.jobId, held.token],
      );
      if (rows[0] === undefined) throw new RunLostError();
      await this.addProblems(session, held.jobId, rows[0].problems - 1, [problem]);
      await this.finishIn(session, held, 'failed', { code: problem.code, detail: problem.detail });
      await removeStagedFiles(session, [held.jobId]);
    });
  }

  private async finishIn(session: SqlSession, { jobId, token }: HeldRun, state: string, error: ImportFailure | null): Promise<void> {
    const { rowCount } = await session.query(FINISH, [jobId, token, state, error === null ? null : JSON.stringify(error)]);
    if (rowCount === 0) throw new RunLostError();
  }
}

import { UnitOfWork } from '#database';
import { Injectable, Logger } from '@nestjs/common';
import { ATTEMPTS_MAXIMUM, type ImportFailure, type JobState } from '../import-job.js';
import { giveBackAssignments } from '../run/give-back.js';
import { removeStagedFiles } from '../staging/remove-staged-files.js';
import { JobQueue } from './job-queue.js';

/** An upload without a new byte for so long is one whose process has died, or whose sender has. */
const UPLOAD_PATIENCE = '15 minutes';
/** So long a queued job keeps its entry unasked. */
const ENTRY_PATIENCE = '1 minute';
/** How long the file of a failed job is kept, so that it can be resumed, and how long a job is remembered. */
const FILE_KEPT = '7 days';
const JOB_KEPT = '30 days';

const DIED: ImportFailure = {
  code: 'internal.error',
  detail: `The process that read it died ${ATTEMPTS_MAXIMUM} times in a row before it had written anything, as for want of memory. It can be resumed`,
};
/* A job that takes its process along would be taken up for ever otherwise, and end one process after the other. */
const TAKE_BACK = `
UPDATE ingestion_jobs SET${giveBackAssignments(`attempts >= ${ATTEMPTS_MAXIMUM}`, '$1')}
WHERE state = 'running' AND lease_until <= clock_timestamp() RETURNING id, state, queue_id`;

const FAILED_LONG_AGO = `SELECT id FROM ingestion_jobs WHERE state = 'failed' AND finished_at < now() - interval '${FILE_KEPT}' FOR UPDATE`;

/* With a new id: the entry before, if there was one, is done with. */
const ENTER = `
UPDATE ingestion_jobs SET queue_id = gen_random_uuid(), enqueued_at = clock_timestamp()
WHERE id IN (SELECT id FROM ingestion_jobs WHERE state = 'queued' AND queue_id IS NULL ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING id, queue_id`;

const UNSURE = `
UPDATE ingestion_jobs SET enqueued_at = clock_timestamp()
WHERE state = 'queued' AND queue_id IS NOT NULL AND enqueued_at < clock_timestamp() - interval '${ENTRY_PATIENCE}' RETURNING id, queue_id`;

interface Queued {
  readonly id: string;
  readonly queue_id: string;
}

/**
 * Puts right what a crash can leave behind: jobs whose process has died, queued jobs without an entry in the queue, uploads that will never end. Every
 * process does it; each step is one statement that gives a job to one of them.
 */
@Injectable()
export class JobSweep {
  private readonly logger = new Logger('Jobs');

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly queue: JobQueue,
  ) {}

  /** Cheap when nothing is open: three statements on an index that is empty then. @throws what the queue says, when all that can be done has been done */
  async run(): Promise<void> {
    const faults: unknown[] = [];
    for (const queueId of await this.takeBack()) await this.queue.revive(queueId).catch((error: unknown) => faults.push(error));
    await this.enter();
    const unsure = await this.unitOfWork.query<Queued>(UNSURE);
    for (const { queue_id } of unsure.rows) if (!(await this.queue.isOpen(queue_id))) await this.forgetEntries([queue_id]);
    if (faults.length > 0) throw faults[0];
  }

  /** Gives jobs back, or ends them, whose process has died; returns their entries. */
  private async takeBack(): Promise<string[]> {
    const jobs = await this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<{ id: string; state: JobState; queue_id: string | null }>(TAKE_BACK, [JSON.stringify(DIED)]);
      await removeStagedFiles(
        session,
        rows.filter(({ state }) => state === 'cancelled').map(({ id }) => id),
      );
      return rows;
    });
    for (const { id, state } of jobs)
      if (state === 'failed') this.logger.error({ msg: 'an import was given up', job_id: id, err: DIED.detail });
    return jobs.flatMap(({ queue_id }) => queue_id ?? []);
  }

  /** Gives every queued job an entry that has none. @throws when the queue cannot be reached; the next one tries again */
  async enter(): Promise<void> {
    const { rows } = await this.unitOfWork.query<Queued>(ENTER);
    rows.sort((one, other) => (one.id < other.id ? -1 : 1));
    for (const [place, { id, queue_id }] of rows.entries()) {
      try {
        await this.queue.add(queue_id, id);
      } catch (error) {
        // Those behind it as well: nobody would look for their entries before a minute is over. What cannot be forgotten now is found then.
        await this.forgetEntries(rows.slice(place).map((row) => row.queue_id)).catch(() => undefined);
        throw error;
      }
    }
  }

  /** Removes what is kept for no use any more. */
  async purge(): Promise<void> {
    await this.unitOfWork.query(
      `DELETE FROM ingestion_jobs WHERE state = 'uploading' AND updated_at < clock_timestamp() - interval '${UPLOAD_PATIENCE}'`,
    );
    await this.unitOfWork.run(async (session) => {
      const { rows } = await session.query<{ id: string }>(FAILED_LONG_AGO);
      await removeStagedFiles(
        session,
        rows.map(({ id }) => id),
      );
    });
    await this.unitOfWork.query(`DELETE FROM ingestion_jobs WHERE finished_at < now() - interval '${JOB_KEPT}'`);
  }

  private async forgetEntries(queueIds: readonly string[]): Promise<void> {
    await this.unitOfWork.query(`UPDATE ingestion_jobs SET queue_id = NULL WHERE queue_id = ANY($1::uuid[]) AND state = 'queued'`, [
      queueIds,
    ]);
  }
}

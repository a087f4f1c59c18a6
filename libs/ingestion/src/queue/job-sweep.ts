import { UnitOfWork } from '#database';
import { Injectable } from '@nestjs/common';
import { JobQueue } from './job-queue.js';

/** An upload without a new byte for so long is one whose process has died, or whose sender has. */
const UPLOAD_PATIENCE = '15 minutes';
/** So long a queued job keeps its entry unasked. */
const ENTRY_PATIENCE = '1 minute';
/** How long the file of a failed job is kept, so that it can be resumed, and how long a job is remembered. */
const FILE_KEPT = '7 days';
const JOB_KEPT = '30 days';

const TAKE_BACK = `
UPDATE ingestion_jobs SET state = 'queued', lease_token = NULL, lease_until = NULL, updated_at = now()
WHERE state = 'running' AND lease_until <= clock_timestamp() RETURNING queue_id`;

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
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly queue: JobQueue,
  ) {}

  /** Cheap when nothing is open: three statements on an index that is empty then. */
  async run(): Promise<void> {
    const dead = await this.unitOfWork.query<{ queue_id: string | null }>(TAKE_BACK);
    for (const { queue_id } of dead.rows) if (queue_id !== null) await this.queue.revive(queue_id);
    await this.enter();
    const unsure = await this.unitOfWork.query<Queued>(UNSURE);
    for (const { id, queue_id } of unsure.rows) if (!(await this.queue.isOpen(queue_id))) await this.forgetEntry(id, queue_id);
  }

  /** Gives every queued job an entry that has none. @throws when the queue cannot be reached; the next one tries again */
  async enter(): Promise<void> {
    const { rows } = await this.unitOfWork.query<Queued>(ENTER);
    rows.sort((one, other) => (one.id < other.id ? -1 : 1));
    for (const { id, queue_id } of rows) {
      try {
        await this.queue.add(queue_id, id);
      } catch (error) {
        await this.forgetEntry(id, queue_id);
        throw error;
      }
    }
  }

  /** Removes what is kept for no use any more. */
  async purge(): Promise<void> {
    await this.unitOfWork.query(
      `DELETE FROM ingestion_jobs WHERE state = 'uploading' AND updated_at < clock_timestamp() - interval '${UPLOAD_PATIENCE}'`,
    );
    const failedLongAgo = `SELECT id FROM ingestion_jobs WHERE state = 'failed' AND finished_at < now() - interval '${FILE_KEPT}'`;
    await this.unitOfWork.query(`DELETE FROM ingestion_pieces WHERE job_id IN (${failedLongAgo})`);
    await this.unitOfWork.query(`DELETE FROM ingestion_external_ids WHERE job_id IN (${failedLongAgo})`);
    await this.unitOfWork.query(`DELETE FROM ingestion_jobs WHERE finished_at < now() - interval '${JOB_KEPT}'`);
  }

  private async forgetEntry(id: string, queueId: string): Promise<void> {
    await this.unitOfWork.query(
      `UPDATE ingestion_jobs SET queue_id = NULL WHERE id = $1::uuid AND queue_id = $2::uuid AND state = 'queued'`,
      [id, queueId],
    );
  }
}

import { UnitOfWork } from '#database';
import { Clock, RepeatedMessages } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { Db, PgBoss } from 'pg-boss';
import { JobQueue, type JobHandler } from './job-queue.js';

const SCHEMA = 'pgboss';
const QUEUE = 'imports';
/** Seconds between two looks of an idle process; a process that adds a job wakes itself. */
const POLL_SECONDS = 2;
/** The longest that the queue knows; a run that takes longer is taken up again by somebody, behind its checkpoint. */
const EXPIRE_SECONDS = 86_400;
const RETRY_DELAY_SECONDS = 2;
/** How often a job may be tried is for its row to say. */
const RETRY_LIMIT = 1_000_000;
/** A process that dies between taking an entry and taking the job leaves an entry that nobody else knows of. */
const HEARTBEAT_SECONDS = 30;
const SUPERVISE_SECONDS = 60;
/** Work of the queue that is not used here: dependencies, index maintenance. */
const RARELY_SECONDS = 86_400;
const STOP_TIMEOUT_MS = 10_000;

interface Entry {
  readonly jobId: string;
}

/** The queue in the schema `pgboss` of the same database, on the pool of the requests. Nothing of it is loaded before it is started. */
@Injectable()
export class PgBossJobQueue extends JobQueue {
  private readonly logger = new Logger('Jobs');
  private readonly messages: RepeatedMessages;
  private readonly stopping = new AbortController();
  private starting: Promise<PgBoss> | null = null;
  private workerId: string | null = null;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    clock: Clock,
  ) {
    super();
    this.messages = new RepeatedMessages(clock);
  }

  async start(handler: JobHandler): Promise<void> {
    this.stopping.signal.throwIfAborted();
    this.starting ??= this.open(handler);
    try {
      await this.starting;
    } catch (error) {
      this.starting = null;
      throw error;
    }
  }

  async add(queueId: string, jobId: string): Promise<void> {
    const boss = await this.boss();
    await boss.send(QUEUE, { jobId } satisfies Entry, { id: queueId });
    this.wake(boss);
  }

  async isOpen(queueId: string): Promise<boolean> {
    const boss = await this.boss();
    const [entry] = await boss.findJobs(QUEUE, { id: queueId });
    return entry !== undefined && ['created', 'retry', 'active'].includes(entry.state);
  }

  async revive(queueId: string): Promise<void> {
    const boss = await this.boss();
    await boss.fail(QUEUE, queueId, { reason: 'the process that had it has died' });
    this.wake(boss);
  }

  async stop(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    this.stopping.abort(new Error('the process is stopping'));
    const boss = await this.starting?.catch(() => null);
    if (boss === null || boss === undefined) return;
    try {
      // The handler first: the queue itself would look only every half second whether it has ended.
      await Promise.race([boss.offWork(QUEUE, { wait: true }), delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      await boss.stop({ graceful: false, close: false });
    } catch (error) {
      this.logger.warn(`The queue of jobs did not stop in order: ${textOf(error)}`);
    }
  }

  private async open(handler: JobHandler): Promise<PgBoss> {
    // Only now: loading it takes longer than a start may be slowed down by.
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      db: this.database(),
      schema: SCHEMA,
      schedule: false,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      flowIntervalSeconds: RARELY_SECONDS,
      bamIntervalSeconds: RARELY_SECONDS,
      reindex: false,
      monitorVacuum: false,
    });
    boss.on('error', (error: unknown) => this.warn(error));
    try {
      await this.begin(boss, handler);
      return boss;
    } catch (error) {
      // What has been started of it would go on beside the next one.
      await boss.stop({ graceful: false, close: false }).catch(() => undefined);
      throw error;
    }
  }

  private async begin(boss: PgBoss, handler: JobHandler): Promise<void> {
    await boss.start();
    const options = {
      expireInSeconds: EXPIRE_SECONDS,
      retryLimit: RETRY_LIMIT,
      retryDelay: RETRY_DELAY_SECONDS,
      heartbeatSeconds: HEARTBEAT_SECONDS,
    };
    await boss.createQueue(QUEUE, options);
    this.workerId = await boss.work<Entry>(QUEUE, { pollingIntervalSeconds: POLL_SECONDS }, async ([entry]) => {
      if (entry !== undefined) await handler(entry.data.jobId, AbortSignal.any([entry.signal, this.stopping.signal]));
    });
  }

  /** No session state and no connection of its own, so it works behind a pooler in transaction mode as everything else does. */
  private database(): Db {
    return {
      executeSql: async (text, values) => {
        // Several statements with a BEGIN of their own: an error in the middle must not leave a pooled connection inside of it.
        const isScript = values === undefined && /\bBEGIN\b/.test(text);
        const { rows } = isScript ? await this.unitOfWork.run((session) => session.query(text)) : await this.unitOfWork.query(text, values);
        return { rows: rows ?? [] };
      },
    };
  }

  private async boss(): Promise<PgBoss> {
    if (this.starting === null) throw new Error('The queue of jobs has not been started');
    return this.starting;
  }

  private wake(boss: PgBoss): void {
    if (this.workerId !== null) boss.notifyWorker(this.workerId);
  }

  /** The database is away, or a run has failed: the queue goes on by itself. */
  private warn(error: unknown): void {
    if (this.stopping.signal.aborted) return;
    const line = this.messages.pass('queue', `The queue of jobs: ${textOf(error)}`);
    if (line !== null) this.logger.warn(line);
  }
}

/** The queue hands on copies of errors. */
function textOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
}

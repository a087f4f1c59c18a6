import { DomainError, RepeatedMessages, type Clock, type IdGenerator } from '#kernel';
import { Logger } from '@nestjs/common';
import { CronTimes } from './cron-times.js';
import { RunInProgress } from './run-in-progress.js';
import type { ScheduleName } from './schedule-names.js';
import type { ScheduleRuns } from './schedule-runs.js';
import type { ScheduledTask } from './scheduled-task.js';

/** How late a due time may be noticed and still be run: a few missed ticks, no more. What every process has slept through is left out, not made up for. */
const LATE_LIMIT_MS = 60_000;
/** How long a run outlives a process that dies; renewed three times as often. */
const LEASE_DEFAULT_MS = 60_000;

export interface ScheduleRunnerParts {
  readonly runs: ScheduleRuns;
  readonly tasks: readonly ScheduledTask[];
  /** Cron expressions in UTC; `null` = only by hand. */
  readonly expressions: Readonly<Record<ScheduleName, string | null>>;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Who this process is, for people. */
  readonly holder: string;
  /** While it is false, due times pass by. */
  readonly isReady: () => boolean;
  /** Default 60,000. */
  readonly leaseMs?: number;
  /** How long a task that was called off may take to come back. Default 5,000. */
  readonly unwindMs?: number;
}

/**
 * Runs what is due, once among all processes: what is due is decided by the database's clock, and who runs it by a row in the database. The clock of
 * this machine decides nothing, however wrong it is.
 */
export class ScheduleRunner {
  private readonly logger = new Logger('Schedules');
  private readonly messages: RepeatedMessages;
  private readonly times = new Map<ScheduleName, CronTimes>();
  private readonly running = new Set<RunInProgress>();
  private readonly stopping = new AbortController();
  private seen: Date | null = null;
  private ticking: Promise<void> | null = null;

  constructor(private readonly parts: ScheduleRunnerParts) {
    this.messages = new RepeatedMessages(parts.clock);
    for (const { name } of parts.tasks) {
      const expression = parts.expressions[name];
      if (expression !== null) this.times.set(name, new CronTimes(expression));
    }
  }

  /** Starts what has become due since the last tick; the first tick starts nothing. Resolves when it is decided, not when it is done. Never rejects. */
  tick(): Promise<void> {
    this.ticking ??= this.look()
      .catch((error: unknown) => {
        const line = this.messages.pass('tick', `What is due cannot be found out: ${textOf(error)}`);
        if (line !== null && !this.stopping.signal.aborted) this.logger.warn(line);
      })
      .finally(() => {
        this.ticking = null;
      });
    return this.ticking;
  }

  /**
   * Starts a run by hand in this process; resolves with its due time as soon as it has begun.
   *
   * @throws DomainError `schedules.running` when a run of it has not ended, anywhere
   */
  async runNow(name: ScheduleName): Promise<Date> {
    this.stopping.signal.throwIfAborted();
    const dueAt = await this.start(this.taskOf(name), null);
    if (dueAt === null) throw new DomainError('schedules.running');
    return dueAt;
  }

  /** Resolves when this process runs nothing. */
  async whenIdle(): Promise<void> {
    await this.ticking;
    while (this.running.size > 0) await Promise.all([...this.running].map(({ ended }) => ended));
  }

  /** Calls off what runs here, records it as failed, and starts nothing any more. Idempotent; never rejects. */
  async stop(): Promise<void> {
    if (!this.stopping.signal.aborted) this.stopping.abort(new Error('the process is stopping'));
    await this.whenIdle();
  }

  private async look(): Promise<void> {
    if (!this.parts.isReady()) {
      this.seen = null;
      return;
    }
    const now = await this.parts.runs.now();
    if (this.seen !== null) {
      const after = new Date(Math.max(this.seen.getTime(), now.getTime() - LATE_LIMIT_MS));
      for (const task of this.parts.tasks) {
        if (this.stopping.signal.aborted) return;
        const dueAt = this.times.get(task.name)?.latestIn(after, now) ?? null;
        if (dueAt !== null) await this.start(task, dueAt);
      }
    }
    // Only now: what could not be claimed is tried again by the next tick.
    this.seen = now;
  }

  /** The due time of the run that was started, or `null` when it was not ours to start. */
  private async start(task: ScheduledTask, dueAt: Date | null): Promise<Date | null> {
    const { runs, ids, holder, clock, leaseMs = LEASE_DEFAULT_MS } = this.parts;
    const token = ids.uuid();
    const sinceMs = clock.monotonicMs();
    const claim = await runs.claim({ schedule: task.name, dueAt, token, holder, leaseMs });
    if (claim.kind === 'skipped') this.logger.warn(`${task.name} is left out this time: the run before has not ended`);
    if (claim.kind !== 'started') return null;
    const run = new RunInProgress({
      runs,
      task,
      token,
      leaseMs,
      clock,
      sinceMs,
      stopping: this.stopping.signal,
      unwindMs: this.parts.unwindMs,
    });
    this.running.add(run);
    void run.ended.then(() => this.running.delete(run));
    return claim.dueAt;
  }

  private taskOf(name: ScheduleName): ScheduledTask {
    const task = this.parts.tasks.find((one) => one.name === name);
    if (task === undefined) throw new DomainError('schedules.not-found');
    return task;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

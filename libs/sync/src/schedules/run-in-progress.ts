import type { Clock } from '#kernel';
import { Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScheduleRuns } from './schedule-runs.js';
import { ScheduledTaskError, type ScheduledTask } from './scheduled-task.js';

/** Renewals per lease: two of them may fail before it ends. */
const RENEWALS_PER_LEASE = 3;
/** A task that ignores that it was called off does not hold up the end of the process. */
const UNWIND_DEFAULT_MS = 5_000;

export interface RunInProgressParts {
  readonly runs: ScheduleRuns;
  readonly task: ScheduledTask;
  readonly token: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Monotonic time from before the lease was taken. */
  readonly sinceMs: number;
  /** Aborts when the process stops. */
  readonly stopping: AbortSignal;
  /** How long a task that was called off may take to come back. Default 5,000. */
  readonly unwindMs?: number;
}

/** One run in this process: keeps its lease while the task works, and records how it ended. */
export class RunInProgress {
  private readonly logger = new Logger('Schedules');
  private readonly lost = new AbortController();
  private heldSinceMs: number;
  /** Resolves when the end is recorded, or could not be; never rejects. */
  readonly ended: Promise<void>;

  constructor(private readonly parts: RunInProgressParts) {
    this.heldSinceMs = parts.sinceMs;
    this.ended = this.run();
  }

  private async run(): Promise<void> {
    const { runs, task, token, leaseMs, stopping } = this.parts;
    const keeper = setInterval(() => void this.renew(), Math.max(1, leaseMs / RENEWALS_PER_LEASE));
    keeper.unref();
    const { outcome, result } = await this.outcomeOf(AbortSignal.any([stopping, this.lost.signal]));
    clearInterval(keeper);
    if (this.lost.signal.aborted) {
      this.logger.error(`${task.name}: the lease of the run was lost`);
      return;
    }
    if (outcome === 'failed' && !stopping.aborted) this.logger.error(`${task.name} failed: ${errorTextOf(result)}`);
    try {
      await runs.finish(task.name, token, outcome, result);
    } catch (error) {
      // Its lease ends, and the next run closes the row.
      this.logger.warn(`${task.name}: its end could not be recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async outcomeOf(signal: AbortSignal): Promise<{ outcome: 'done' | 'failed'; result: unknown }> {
    try {
      signal.throwIfAborted();
      const result = await Promise.race([this.parts.task.run(signal), this.unwound(signal)]);
      // A task that gave up quietly has not done its work.
      signal.throwIfAborted();
      return { outcome: 'done', result };
    } catch (error) {
      const found = error instanceof ScheduledTaskError ? error.result : {};
      return { outcome: 'failed', result: { ...(found as object), error: error instanceof Error ? error.message : String(error) } };
    }
  }

  /** Rejects some time after the signal has aborted. */
  private async unwound(signal: AbortSignal): Promise<never> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await delay(this.parts.unwindMs ?? UNWIND_DEFAULT_MS, undefined, { ref: false });
    throw signal.reason;
  }

  /** One lease long without an answer is as good as a lost lease: another process may have taken over. */
  private async renew(): Promise<void> {
    const { runs, task, token, leaseMs, clock } = this.parts;
    const startedMs = clock.monotonicMs();
    try {
      if (await runs.renew(task.name, token, leaseMs)) this.heldSinceMs = startedMs;
      else this.lose();
    } catch {
      if (clock.monotonicMs() - this.heldSinceMs >= leaseMs) this.lose();
    }
  }

  private lose(): void {
    this.lost.abort(new Error('the lease of the run was lost'));
  }
}

function errorTextOf(result: unknown): string {
  return typeof result === 'object' && result !== null && 'error' in result ? String(result.error) : 'without a reason';
}

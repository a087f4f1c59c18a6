import { DomainError } from '#kernel';
import { CronTimes } from './cron-times.js';
import { SCHEDULE_NAMES, type ScheduleName } from './schedule-names.js';
import type { ScheduleRunner } from './schedule-runner.js';
import type { LatestRuns, ScheduleRun, ScheduleRuns } from './schedule-runs.js';

export interface ScheduleStatus extends LatestRuns {
  readonly name: ScheduleName;
  /** Cron expression, UTC; `null` = only by hand. */
  readonly expression: string | null;
  /** By the database's clock; `null` = never. */
  readonly nextDueAt: Date | null;
}

const NO_RUNS: LatestRuns = { newest: null, finished: null };

/** What people may know of the schedules, and ask of them. */
export class Schedules {
  constructor(
    private readonly runs: ScheduleRuns,
    private readonly runner: ScheduleRunner,
    private readonly expressions: Readonly<Record<ScheduleName, string | null>>,
  ) {}

  /** All schedules, in the order of {@link SCHEDULE_NAMES}. */
  async list(): Promise<ScheduleStatus[]> {
    const [now, latest] = await Promise.all([this.runs.now(), this.runs.latest(SCHEDULE_NAMES)]);
    return SCHEDULE_NAMES.map((name) => {
      const expression = this.expressions[name];
      return {
        name,
        expression,
        nextDueAt: expression === null ? null : new CronTimes(expression).next(now),
        ...(latest.get(name) ?? NO_RUNS),
      };
    });
  }

  /** Time between its next two runs, milliseconds; `null` = it only runs by hand. */
  intervalMs(name: ScheduleName, now: Date): number | null {
    const expression = this.expressions[name];
    if (expression === null) return null;
    const times = new CronTimes(expression);
    const next = times.next(now);
    return times.next(next).getTime() - next.getTime();
  }

  /** Runs of one schedule, newest first. @throws DomainError `schedules.not-found` */
  async history(name: string, limit: number): Promise<ScheduleRun[]> {
    return this.runs.list(knownName(name), limit);
  }

  /**
   * Starts a run now, in this process; resolves with its due time as soon as it has begun.
   *
   * @throws DomainError `schedules.not-found`; `schedules.running` when a run of it has not ended, anywhere
   */
  async runNow(name: string): Promise<Date> {
    return this.runner.runNow(knownName(name));
  }
}

function knownName(name: string): ScheduleName {
  const known = SCHEDULE_NAMES.find((one) => one === name);
  if (known === undefined) throw new DomainError('schedules.not-found');
  return known;
}

import { CronTime } from 'cron';

const ZONE = 'UTC';

/** The times of one cron expression, in UTC. Pure: it never looks at a clock to decide what is due. */
export class CronTimes {
  private readonly time: CronTime;

  /** @throws CronError for an expression that is none */
  constructor(expression: string) {
    this.time = new CronTime(expression, ZONE);
  }

  /**
   * The first time after the given one.
   *
   * @throws CronError for an expression that no day of the next eight years matches, like the 30th of February
   */
  next(after: Date): Date {
    return this.time.getNextDateFrom(after, ZONE).toJSDate();
  }

  /** The latest time in (after, until], or `null`: of several that have passed, the older ones are not made up for. */
  latestIn(after: Date, until: Date): Date | null {
    let latest: Date | null = null;
    for (let time = this.next(after); time <= until; time = this.next(time)) latest = time;
    return latest;
  }
}

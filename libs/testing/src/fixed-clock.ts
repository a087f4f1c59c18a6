import { Clock } from '#kernel';

/** A clock that stands still until it is moved. */
export class FixedClock extends Clock {
  private elapsedMs = 0;

  constructor(private readonly start: Date = new Date('2030-01-01T00:00:00.000Z')) {
    super();
  }

  now(): Date {
    return new Date(this.start.getTime() + this.elapsedMs);
  }

  monotonicMs(): number {
    return this.elapsedMs;
  }

  advance(byMs: number): void {
    if (byMs < 0) throw new Error('A clock is moved forward only');
    this.elapsedMs += byMs;
  }
}

import { SystemClock } from '#kernel';

const DAY_MS = 86_400_000;

/** A wall clock that is a day off, and a monotonic clock that can be made to jump ahead. */
export class SkewedClock extends SystemClock {
  private aheadMs = 0;

  override now(): Date {
    return new Date(super.now().getTime() - DAY_MS);
  }

  override monotonicMs(): number {
    return super.monotonicMs() + this.aheadMs;
  }

  jump(byMs: number): void {
    this.aheadMs += byMs;
  }
}

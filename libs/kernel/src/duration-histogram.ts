/** How many durations there were, by upper bound: `counts[n]` of at most `boundsMs[n]` and above the bound before, the last one of all above. */
export interface DurationCounts {
  /** Milliseconds, ascending. */
  readonly boundsMs: readonly number[];
  /** One more than there are bounds. */
  readonly counts: readonly number[];
  readonly sumMs: number;
}

/** Counts durations by upper bounds. Plain numbers that only grow, for whoever publishes them. */
export class DurationHistogram implements DurationCounts {
  readonly counts: number[];
  sumMs = 0;

  constructor(readonly boundsMs: readonly number[]) {
    this.counts = new Array<number>(boundsMs.length + 1).fill(0);
  }

  observe(durationMs: number): void {
    const bucket = this.boundsMs.findIndex((bound) => durationMs <= bound);
    this.counts[bucket === -1 ? this.boundsMs.length : bucket]!++;
    this.sumMs += durationMs;
  }

  /** A copy as it is now. */
  snapshot(): DurationCounts {
    return { boundsMs: this.boundsMs, counts: [...this.counts], sumMs: this.sumMs };
  }
}

/** Counters of one lane since the pool was made; durations are the threads' own time per text, tokenising included, waiting excluded. */
export interface LaneStatistics {
  /** Texts that no thread has taken yet. */
  readonly waiting: number;
  /** Texts that a thread is embedding. */
  readonly running: number;
  readonly embedded: number;
  readonly failed: number;
  readonly retried: number;
  readonly runMsSum: number;
  readonly runMsMax: number;
}

/** Counts what happens in one lane. */
export class LaneCounters {
  embedded = 0;
  failed = 0;
  retried = 0;
  private runMsSum = 0;
  private runMsMax = 0;

  noteRun(runMs: number): void {
    this.embedded++;
    this.runMsSum += runMs;
    this.runMsMax = Math.max(this.runMsMax, runMs);
  }

  snapshot(waiting: number, running: number): LaneStatistics {
    const { embedded, failed, retried, runMsSum, runMsMax } = this;
    return { waiting, running, embedded, failed, retried, runMsSum, runMsMax };
  }
}

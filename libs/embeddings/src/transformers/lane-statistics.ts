import type { DurationCounts } from '#kernel';
import { RunDurations } from '../run-durations.js';

/** Counters of one lane since the pool was made. */
export interface LaneStatistics {
  /** Texts that no thread has taken yet. */
  readonly waiting: number;
  /** Texts that a thread is embedding. */
  readonly running: number;
  readonly embedded: number;
  readonly failed: number;
  readonly retried: number;
  /** The threads' own time per text, tokenising included, waiting excluded. */
  readonly runs: DurationCounts;
}

/** Counts what happens in one lane. */
export class LaneCounters {
  embedded = 0;
  failed = 0;
  retried = 0;
  private readonly runs = new RunDurations();

  noteRun(runMs: number): void {
    this.embedded++;
    this.runs.observe(runMs);
  }

  snapshot(waiting: number, running: number): LaneStatistics {
    const { embedded, failed, retried, runs } = this;
    return { waiting, running, embedded, failed, retried, runs: runs.snapshot() };
  }
}

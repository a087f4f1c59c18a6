import { DurationHistogram } from '#kernel';
import type { RunSummary } from './run-summary.js';

/** Milliseconds. */
const LAG_BOUNDS_MS = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000] as const;

/** The plain numbers of {@link RelayCounters}. */
export type RelayCounts = { readonly [Key in keyof RelayCounters as RelayCounters[Key] extends number ? Key : never]: number };

/** What the relay of this process has done since it was made; numbers only grow. Exported as they are by whoever publishes metrics. */
export class RelayCounters {
  passes = 0;
  emptyClaims = 0;
  claimed = 0;
  synced = 0;
  skipped = 0;
  deleted = 0;
  /** Tombstones whose point was still absent after the grace. */
  purged = 0;
  /** Texts sent to the embedder, equal ones of a batch once. */
  embedded = 0;
  cacheHits = 0;
  /** Outcomes that were not recorded because the row had changed again. */
  superseded = 0;
  /** Entries that another relay took, or whose lease ended, before their outcome was recorded. */
  leasesLost = 0;
  leasesRenewed = 0;
  /** Entries that were claimed after somebody's lease on them had ended: a process died, or was too slow. */
  leasesExpired = 0;
  /** Claimed entries that had been tried before. */
  retries = 0;
  /** Retries that failed again, and were counted. */
  failedRetries = 0;
  released = 0;
  /** Attempts that failed and were counted. */
  failed = 0;
  /** Attempts that were given back because a provider was away. */
  paused = 0;
  dead = 0;
  splits = 0;
  claimErrors = 0;
  /** From the change of the row to the acknowledged write. */
  readonly lag = new DurationHistogram(LAG_BOUNDS_MS);

  /** A copy of all plain numbers. */
  counts(): RelayCounts {
    const { lag: _, ...counts } = this;
    return counts as RelayCounts;
  }

  /** What one pass did. */
  add(summary: RunSummary): void {
    for (const key of Object.keys(summary) as (keyof RunSummary)[]) this[key] += summary[key];
  }
}

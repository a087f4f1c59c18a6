import type { DurationCounts } from '#kernel';
import type { RampPhase } from './provider-ramp.js';
import type { RelayCounts } from './relay-counters.js';
import type { RetryBudgetStatus } from './retry-budget.js';

/** The relay of this process at one moment. */
export interface RelayStatus {
  readonly isRunning: boolean;
  /** Since the process began; numbers only grow. */
  readonly counts: RelayCounts;
  /** From the change of a row to its acknowledged write. */
  readonly lag: DurationCounts;
  readonly store: {
    readonly phase: RampPhase;
    /** Milliseconds until it is called again; 0 = not paused. */
    readonly pausedForMs: number;
    /** Entries that the next batch may have. */
    readonly batchLimit: number;
    /** Milliseconds for which only deletes are sent, because the store is full. */
    readonly upsertsPausedForMs: number;
  };
  /** Models whose embedder is paused. */
  readonly embedders: readonly { readonly modelRev: string; readonly pausedForMs: number }[];
  /** By generation that this process works on. */
  readonly retryBudgets: readonly (RetryBudgetStatus & { readonly generationId: number })[];
  /** Batches that are under way. */
  readonly inFlight: number;
}

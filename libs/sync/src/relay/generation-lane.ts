import type { Clock } from '#kernel';
import type { RelayPass } from './relay-pass.js';
import { RetryBudget } from './retry-budget.js';
import type { RunSummary } from './run-summary.js';

/** While one batch is sent and acknowledged, the embedder works on the other one; a third would only lengthen leases. */
const CONCURRENT_BATCHES = 2;
/** After a batch of which nothing came through because a provider is away: else a backlog would be claimed and put back at full speed. */
const STALL_PAUSE_MS = 1_000;

/**
 * What this process does for one generation. Each has its own room, so that one whose model is slow or away, or which is being filled, holds up no other:
 * least of all the one that answers queries.
 */
export class GenerationLane {
  readonly budget: RetryBudget;
  private readonly running = new Set<RelayPass>();
  private stalledUntilMs = Number.NEGATIVE_INFINITY;
  private isHungry = false;

  constructor(
    private readonly clock: Clock,
    batchSize: number,
  ) {
    this.budget = new RetryBudget(clock, batchSize);
  }

  get hasRoom(): boolean {
    return this.running.size < CONCURRENT_BATCHES && this.clock.monotonicMs() >= this.stalledUntilMs;
  }

  /** Whether the last claim was as large as it might have been, so that there is probably more. */
  get hasMore(): boolean {
    return this.isHungry && this.hasRoom;
  }

  /** @param pass `null` = nothing was due */
  claimed(pass: RelayPass | null, limit: number): void {
    this.isHungry = pass !== null && pass.entries.length >= limit;
    if (pass === null) return;
    this.budget.take(pass.summary.retries);
  }

  begin(pass: RelayPass): void {
    this.running.add(pass);
  }

  end(pass: RelayPass): void {
    this.running.delete(pass);
    const { retries, failedRetries, paused } = pass.summary;
    const progress = progressOf(pass.summary);
    this.budget.settle(retries, failedRetries, progress);
    if (paused > 0 && progress === 0) this.stalledUntilMs = this.clock.monotonicMs() + STALL_PAUSE_MS;
  }
}

/** Entries that came through. */
const progressOf = ({ synced, skipped, deleted, purged }: RunSummary): number => synced + skipped + deleted + purged;

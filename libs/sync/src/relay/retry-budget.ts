import type { Clock } from '#kernel';

/** Part of a retry that each success earns: with ten good entries for each one that fails again and again, retries go on at full pace. */
const EARNED_PER_SUCCESS = 0.1;
/** Retries per second that are always allowed: with nothing but failures, it is these that find out that the trouble is over. */
const EARNED_PER_SECOND = 5;
/** Full batches of retries that may fail at once, after a quiet time. */
const BURST_BATCHES = 2;

/** Retries of this budget, for people and metrics. */
export interface RetryBudgetStatus {
  /** Retries that may be claimed now. */
  readonly available: number;
  readonly capacity: number;
  /** Retries that have failed, and so were paid for. */
  readonly spent: number;
}

/**
 * Bounds the share of retries that fail: a large backlog of entries that cannot succeed must not multiply the load on a provider that has trouble already.
 *
 * A token bucket. A retry holds a token while it is under way and gets it back unless it fails, so a backlog of retries that succeed drains at full pace.
 * Over any time t, failed retries <= capacity + 5 per second x t + 0.1 x successes. (The same idea as the "standard" retry mode of the AWS SDKs.)
 */
export class RetryBudget {
  private tokens: number;
  private earnedAtMs: number;
  private spent = 0;
  private readonly capacity: number;

  /** @param batchSize entries of a full batch */
  constructor(
    private readonly clock: Clock,
    batchSize: number,
  ) {
    this.capacity = BURST_BATCHES * batchSize;
    this.tokens = this.capacity;
    this.earnedAtMs = clock.monotonicMs();
  }

  /** How many retries may be claimed now; at least one when the bucket holds a whole token. */
  get available(): number {
    this.earnByTime();
    return Math.max(0, Math.floor(this.tokens));
  }

  /** Retries were claimed. More than are available may be taken, by claims at the same time: then the bucket is in debt until it has earned it. */
  take(retries: number): void {
    this.earnByTime();
    this.tokens -= retries;
  }

  /**
   * What was taken has come to its end.
   *
   * @param retries as taken
   * @param failedRetries those of them whose attempt failed and was counted
   * @param successes entries that came through, retries or not
   */
  settle(retries: number, failedRetries: number, successes: number): void {
    this.earnByTime();
    this.spent += failedRetries;
    this.earn(retries - failedRetries + successes * EARNED_PER_SUCCESS);
  }

  status(): RetryBudgetStatus {
    return { available: this.available, capacity: this.capacity, spent: this.spent };
  }

  private earnByTime(): void {
    const nowMs = this.clock.monotonicMs();
    this.earn(((nowMs - this.earnedAtMs) / 1_000) * EARNED_PER_SECOND);
    this.earnedAtMs = nowMs;
  }

  private earn(tokens: number): void {
    this.tokens = Math.min(this.capacity, this.tokens + tokens);
  }
}

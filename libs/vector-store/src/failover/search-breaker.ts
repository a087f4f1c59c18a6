import { circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen, TaskCancelledError, timeout, TimeoutStrategy } from 'cockatiel';
import type { Clock } from '#kernel';
import { VectorStoreError } from '../vector-store-error.js';
import type { BreakerState } from './failover-counters.js';

/**
 * Failures in a row that open it. Not a share of the calls within a time, which needs traffic to mean anything: this works at any rate, opens within
 * 0.25 s at 20 searches/s when all fail, and once in 100,000 searches when one of ten fails, each of which has its answer from the copy anyway.
 */
const FAILURES_TO_OPEN = 5;
/** How long it stays open. Not below the usual time-out of a search: what was sent before it opened has failed by then, and cannot fail the probe. */
const OPEN_MS = 2_000;
/** A server may ask for more with Retry-After, within reason. */
const OPEN_MAXIMUM_MS = 30_000;

const STATES: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
};

/** A call that the breaker let through. */
export interface Attempt<T> {
  /** Whether its outcome decides if the breaker closes. */
  readonly isProbe: boolean;
  readonly result: Promise<T>;
}

/** Whether the error says that the store does not answer, which is no matter of what it was asked. */
export function isOutage(error: unknown): error is VectorStoreError {
  return error instanceof VectorStoreError && error.isRetryable;
}

/**
 * Bounds each search in time, and stops asking a store that does not answer: after five failures in a row it lets nothing through for two seconds,
 * then one call, whose outcome decides. It never makes a caller wait, and repeats nothing.
 */
export class SearchBreaker {
  private readonly policy = circuitBreaker(handleWhen(isOutage), {
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    // The library measures by the wall clock, which may step; the time is kept here, and it may always try.
    halfOpenAfter: Number.NEGATIVE_INFINITY,
  });
  private readonly timeout;
  private openUntilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly timeoutMs: number,
    onState: (state: BreakerState) => void,
  ) {
    this.timeout = timeout(timeoutMs, TimeoutStrategy.Aggressive).dangerouslyUnref();
    this.policy.onBreak((reason) => {
      const error = 'error' in reason ? reason.error : undefined;
      const wishMs = error instanceof VectorStoreError ? (error.options.retryAfterMs ?? 0) : 0;
      this.openUntilMs = clock.monotonicMs() + Math.min(OPEN_MAXIMUM_MS, Math.max(OPEN_MS, wishMs));
    });
    this.policy.onStateChange((state) => onState(STATES[state]));
  }

  /** How long it will let nothing through, milliseconds; 0 = it may let the next call through. */
  get closedForMs(): number {
    const { state } = this.policy;
    if (state === CircuitState.Closed) return 0;
    return Math.max(0, this.openUntilMs - this.clock.monotonicMs());
  }

  /** Begins the call, or returns `null` when it is held back. What it rejects with after the time-out is an `unavailable` error. */
  tryRun<T>(call: () => Promise<T>): Attempt<T> | null {
    const { state } = this.policy;
    // The library would let all other callers wait for the outcome of the probe.
    if (state === CircuitState.HalfOpen) return null;
    if (state === CircuitState.Open && this.clock.monotonicMs() < this.openUntilMs) return null;
    const result = this.policy.execute(() => this.bounded(call));
    return { isProbe: state === CircuitState.Open, result };
  }

  private async bounded<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.timeout.execute(call);
    } catch (error) {
      if (!(error instanceof TaskCancelledError)) throw error;
      throw new VectorStoreError('unavailable', `The index gave no answer within ${this.timeoutMs} ms`, { cause: error });
    }
  }
}

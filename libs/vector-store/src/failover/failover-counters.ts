import type { VectorStoreErrorKind } from '../vector-store-error.js';

/** `closed`: searches go to the index; `open`: none does; `half-open`: one does, to see whether it answers again. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** What happened to the searches of this process since it started; numbers only grow, but `breaker` and the last overlap. */
export class FailoverCounters {
  /** Answered searches by who answered. */
  readonly searches = { local: 0, qdrant: 0 };
  /** Searches that a copy answered because the index did not. */
  degraded = 0;
  /** Searches that nobody answered. */
  unanswered = 0;
  breaker: BreakerState = 'closed';
  /** How often the breaker came into each state. */
  readonly transitions: Record<BreakerState, number> = { closed: 0, open: 0, 'half-open': 0 };
  /** Calls that the index did not answer, by reason; calls that the breaker held back are not among them. */
  readonly primaryFailures: Partial<Record<VectorStoreErrorKind, number>> = {};
  /** Searches that ran on the copy as well, to compare. */
  shadowSearches = 0;
  /** Comparisons that failed, or were left out because others were under way. */
  shadowsMissed = 0;
  /** Of compared result lists: the share of the ten best that both sides named, 0 to 1. */
  overlapSum = 0;
  overlapCount = 0;
  overlapLast: number | null = null;

  enter(state: BreakerState): void {
    this.breaker = state;
    this.transitions[state]++;
  }

  observeFailure(kind: VectorStoreErrorKind): void {
    this.primaryFailures[kind] = (this.primaryFailures[kind] ?? 0) + 1;
  }

  observeOverlap(overlap: number): void {
    this.overlapSum += overlap;
    this.overlapCount++;
    this.overlapLast = overlap;
  }
}

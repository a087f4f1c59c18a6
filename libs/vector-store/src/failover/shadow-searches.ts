import type { VectorStore } from '../vector-store.js';
import type { FailoverCounters } from './failover-counters.js';
import { overlapOf, resultListsOf } from './overlap.js';

/** Share of healthy searches that run on the copy as well. */
const SHARE = 0.01;
/** A copy that cannot keep up with one search of a hundred is not helped by more of them. */
const CONCURRENT_MAXIMUM = 2;

/** Runs a small share of healthy searches on the copy, too: a fallback that is never used fails when it is needed. */
export class ShadowSearches {
  private running = 0;

  constructor(
    private readonly replica: VectorStore,
    private readonly counters: FailoverCounters,
    /** Uniform in [0, 1). */
    private readonly random: () => number,
  ) {}

  /** Perhaps compares what the index answered with what the copy answers; later, in the background. Never throws. */
  consider<T>(call: (store: VectorStore) => Promise<T>, answered: T): void {
    if (this.random() >= SHARE) return;
    const expected = resultListsOf(answered);
    if (expected === null) return;
    if (this.running >= CONCURRENT_MAXIMUM) {
      this.counters.shadowsMissed++;
      return;
    }
    this.running++;
    // Not before the answer is on its way.
    setImmediate(() => {
      void this.compare(call, expected).finally(() => {
        this.running--;
      });
    });
  }

  private async compare<T>(
    call: (store: VectorStore) => Promise<T>,
    expected: NonNullable<ReturnType<typeof resultListsOf>>,
  ): Promise<void> {
    try {
      const lists = resultListsOf(await call(this.replica)) ?? [];
      this.counters.shadowSearches++;
      expected.forEach((list, index) => {
        const overlap = overlapOf(list, lists[index] ?? []);
        if (overlap !== null) this.counters.observeOverlap(overlap);
      });
    } catch {
      this.counters.shadowsMissed++;
    }
  }
}

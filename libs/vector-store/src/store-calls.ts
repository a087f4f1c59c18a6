import { LabelledDurations } from '#kernel';
import { inSpan } from '#observability';
import { VectorStoreError, type VectorStoreErrorKind } from './vector-store-error.js';

/** Milliseconds. A scan of some thousand vectors takes one, a batch of writes to a server hundreds. */
const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000] as const;

/** How a call ended; `abandoned` = its caller gave up, `error` = a defect. */
export type StoreCallOutcome = 'ok' | VectorStoreErrorKind | 'abandoned' | 'error';

export type StoreCallLabels = { readonly operation: string; readonly outcome: StoreCallOutcome };

/** What was asked of a vector store, how long it took and how it ended. Numbers only grow. */
export class StoreCalls {
  private readonly durations = new LabelledDurations<StoreCallLabels>(BOUNDS_MS);

  /** Makes the call, and counts it. */
  async time<T>(operation: string, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    let outcome: StoreCallOutcome = 'ok';
    try {
      return await inSpan(`vector-store ${operation}`, {}, call);
    } catch (error) {
      outcome = signal?.aborted === true ? 'abandoned' : error instanceof VectorStoreError ? error.kind : 'error';
      throw error;
    } finally {
      this.durations.observe({ operation, outcome }, performance.now() - startedMs);
    }
  }

  entries(): ReturnType<LabelledDurations<StoreCallLabels>['entries']> {
    return this.durations.entries();
  }
}

import { DomainError } from '#kernel';
import { VectorStoreError } from '#vector-store';

const MS_PER_SECOND = 1_000;

/** Runs a call to the vector store; what waiting can cure becomes `search.index-unavailable`, everything else stays the defect that it is. */
export async function withIndexErrors<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    // A missing collection is being built again, from the rows.
    if (!(error instanceof VectorStoreError) || !(error.isRetryable || error.kind === 'collection-missing')) throw error;
    const retryAfterMs = error.options.retryAfterMs;
    const headers: Record<string, string> =
      retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / MS_PER_SECOND))) };
    throw new DomainError('search.index-unavailable', { cause: error, headers });
  }
}

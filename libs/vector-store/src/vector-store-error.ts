/**
 * - `unavailable`: not reached, timed out, 5xx, or a status other than `completed`: the effect of a write is unknown; retry
 * - `throttled`: 429, 503 with Retry-After, or 507: nothing was done; pause the provider, burn no attempts
 * - `collection-missing`, `point-missing`, `dimension-mismatch`, `invalid-point`, `rejected`: permanent until something else changes
 */
export type VectorStoreErrorKind =
  'unavailable' | 'throttled' | 'collection-missing' | 'point-missing' | 'dimension-mismatch' | 'invalid-point' | 'rejected';

export class VectorStoreError extends Error {
  constructor(
    readonly kind: VectorStoreErrorKind,
    message: string,
    /** `isStorageFull`: of `throttled`, when the store has no room for points; deletes may still succeed, and make some. */
    readonly options: { readonly cause?: unknown; readonly retryAfterMs?: number; readonly isStorageFull?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'VectorStoreError';
  }

  get isRetryable(): boolean {
    return this.kind === 'unavailable' || this.kind === 'throttled';
  }
}

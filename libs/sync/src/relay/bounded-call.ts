import { VectorStoreError, type CallOptions } from '#vector-store';

/**
 * Calls the store with a budget, and gives up when it is used up or the signal aborts, whatever the store does then.
 *
 * The adapter is told both; that it keeps them is not left to trust, because the lease depends on it.
 *
 * @throws VectorStoreError `unavailable` when the budget is used up; the signal's reason when it aborts
 */
export async function boundedCall<T>(call: (options: CallOptions) => Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const givenUp = Promise.withResolvers<never>();
  const timer = setTimeout(() => givenUp.reject(new VectorStoreError('unavailable', `No answer within ${timeoutMs} ms`)), timeoutMs);
  timer.unref();
  const onAbort = (): void => givenUp.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([call({ signal, timeoutMs }), givenUp.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** First retry after at most this. */
const BASE_MS = 500;
/** Long enough that a row that fails for days costs nothing, short enough that a person sees it succeed. */
const CAP_MS = 5 * 60_000;
/** Doubling beyond this is above every cap and would overflow. */
const MAX_DOUBLINGS = 30;

/**
 * Delay before the next attempt: uniform between 0 and min(cap, base x 2^(attempts - 1)), so that entries that failed together do not return
 * together. ("Full jitter", AWS Builders' Library, "Timeouts, retries, and backoff with jitter".)
 *
 * @param attempts attempts made, 1 or more
 * @param random uniform in [0, 1)
 */
export function backoffMs(attempts: number, random: () => number, baseMs = BASE_MS, capMs = CAP_MS): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(Math.max(attempts, 1) - 1, MAX_DOUBLINGS));
  return Math.floor(random() * ceiling);
}

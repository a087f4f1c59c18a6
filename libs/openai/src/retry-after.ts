/** Longer pauses are taken for a mistake of the provider, and cut: an hour late is better than never. */
const LONGEST_MS = 3_600_000;

/**
 * Reads the header `Retry-After`, whole seconds or an HTTP date (RFC 9110, section 10.2.3).
 *
 * @returns milliseconds from `now`, 0 to 3,600,000; `undefined` when the header is absent or neither
 */
export function parseRetryAfterMs(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(0, ms), LONGEST_MS);
}

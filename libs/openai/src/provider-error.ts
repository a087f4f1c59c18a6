/**
 * Why the provider gave nothing that can be used.
 *
 * - `throttled`: it asked for a pause
 * - `unavailable`: it did not answer in time, cut the connection, or failed (5xx)
 * - `refused-key`, `not-found`: it does not take this key, or knows no such model or path; only an operator can help
 * - `refused-request`: any other 4xx: one of the texts may be to blame, or the configuration
 * - `malformed`: it answered something else than what was asked for
 */
export type ProviderErrorKind = 'throttled' | 'unavailable' | 'refused-key' | 'not-found' | 'refused-request' | 'malformed';

/** One request to the provider has failed; the message names no key, no text, and nothing that the provider wrote. */
export class ProviderError extends Error {
  constructor(
    readonly kind: ProviderErrorKind,
    message: string,
    readonly options: {
      /** What the provider asked for. */
      readonly retryAfterMs?: number | undefined;
      /** The word that a refusal names, such as `context_length_exceeded`. */
      readonly code?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'ProviderError';
  }

  /** Whether the same request may succeed a moment later. */
  get isTransient(): boolean {
    return this.kind === 'throttled' || this.kind === 'unavailable';
  }
}

import { setTimeout as delay } from 'node:timers/promises';

export interface WaitForOptions {
  /** Default 10,000. */
  readonly timeoutMs?: number;
  /** What is waited for; the error names it. */
  readonly what: string;
  /** Pause between two looks. Default 10. */
  readonly intervalMs?: number;
}

const TIMEOUT_DEFAULT_MS = 10_000;
const INTERVAL_DEFAULT_MS = 10;

/**
 * Looks until the condition gives something truthy, and resolves with that. A look that throws counts as "not yet".
 *
 * @throws Error naming `what`, with the last failure as its cause
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitForOptions,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_DEFAULT_MS;
  const deadlineMs = performance.now() + timeoutMs;
  let lastError: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, false | null | undefined | 0 | ''>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadlineMs) throw new Error(`${options.what}: not so within ${timeoutMs} ms`, { cause: lastError });
    await delay(options.intervalMs ?? INTERVAL_DEFAULT_MS);
  }
}

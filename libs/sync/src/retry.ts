import { FatalStartupError } from '#kernel';
import { pause } from './pause.js';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Called before each new try; `tries` counts from 1. */
  readonly onFailure: (error: unknown, tries: number) => void;
  /** Longest pause between two tries, milliseconds. Default 10,000. */
  readonly longestPauseMs?: number;
}

/**
 * Repeats the action until it succeeds, with pauses that grow to ten seconds.
 *
 * @throws FatalStartupError as soon as the action throws one; the signal's reason when it aborts
 */
export async function retry<T>(action: () => Promise<T>, options: RetryOptions): Promise<T> {
  const longestPauseMs = options.longestPauseMs ?? LONGEST_PAUSE_MS;
  for (let tries = 1; ; tries++) {
    options.signal.throwIfAborted();
    try {
      return await action();
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof FatalStartupError) throw error;
      options.onFailure(error, tries);
      await pause(Math.min(longestPauseMs, FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10)), options.signal);
    }
  }
}

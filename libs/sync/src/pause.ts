import { setTimeout } from 'node:timers/promises';

/**
 * Waits, without keeping the process alive.
 *
 * @throws the signal's reason as soon as it aborts
 */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await setTimeout(durationMs, undefined, { ref: false, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import type { IndexDirectory } from '#sync';

/** How a write stands in the index: `pending` also when the engine cannot say. */
export type IndexState = 'pending' | 'synced' | 'dead';

/** The relay needs a few milliseconds at least; asked again at growing distances, so that many waiting writers do not burden PostgreSQL. */
const FIRST_DELAY_MS = 4;
const LONGEST_DELAY_MS = 64;

/**
 * Waits until the latest change of the row has reached the index, or can never reach it, or the time is over. Never rejects: a write has happened
 * whatever the index does.
 *
 * @param timeoutMs 0 = do not even ask
 */
export async function waitUntilIndexed(directory: IndexDirectory, source: string, id: string, timeoutMs: number): Promise<IndexState> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, LONGEST_DELAY_MS)) {
    const remainingMs = deadlineMs - performance.now();
    if (remainingMs <= 0) return 'pending';
    await delay(Math.min(delayMs, remainingMs));
    const state = await stateOf(directory, source, id);
    if (state !== 'pending') return state;
  }
}

async function stateOf(directory: IndexDirectory, source: string, id: string): Promise<IndexState> {
  try {
    const entry = await directory.entryStatus(source, id);
    // A tombstone is a delete that has reached the index.
    return entry === null || entry.state === 'pending' ? 'pending' : entry.state === 'dead' ? 'dead' : 'synced';
  } catch {
    return 'pending';
  }
}

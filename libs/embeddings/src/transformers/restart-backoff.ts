const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 30_000;

/**
 * How long a slot waits before it starts its next thread.
 *
 * A single death is answered at once; a thread that dies again before it has embedded anything makes the slot wait, twice as long each time, so
 * that a crash loop does not eat the machine.
 *
 * @param failuresInARow deaths since a thread of this slot last embedded a text; at least 1
 */
export function restartDelayMs(failuresInARow: number): number {
  if (failuresInARow <= 1) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failuresInARow - 2));
}

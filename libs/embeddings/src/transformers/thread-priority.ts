import { setPriority } from 'node:os';

/** Enough that a thread which wakes up for a moment does not wait for the rest of a time slice; a worker that is alone on its core loses nothing. */
const NICENESS = 5;

/**
 * Lets the other threads of this process, and PostgreSQL, go first: a model run keeps a core busy for many milliseconds, what they do takes fractions
 * of one.
 *
 * On Linux the priority belongs to the calling thread (0 = the caller). Elsewhere it would be that of the whole process, so nothing is changed there.
 */
export function yieldToShortWork(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, NICENESS);
  } catch {
    // A sandbox may forbid it; then everything works as before, a little less smoothly.
  }
}

import { setPriority } from 'node:os';

/**
 * Enough that a thread which wakes up for a moment does not wait for the rest of a time slice; a worker that is alone on its core loses nothing.
 *
 * At five times what two cores can do, half of the requests that are turned away have their answer within about 22 ms; with 5 it is 38 ms. More than
 * 10 does not change that, and neither costs searches (`npm run bench -- --only guard/overload`).
 */
const NICENESS = 10;

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

import { setTimeout as delay } from 'node:timers/promises';

/** Calls `work` so often a second, whether what it began before has ended or not (an open loop), and waits for all of it. */
export async function atRate(perSecond: number, seconds: number, work: () => Promise<void>): Promise<void> {
  const running: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let begun = 0; begun < perSecond * seconds;) {
    const due = Math.min(perSecond * seconds, Math.ceil(((performance.now() - startedMs) / 1_000) * perSecond));
    for (; begun < due; begun++) running.push(work());
    await delay(1);
  }
  await Promise.all(running);
}

/**
 * Calls `work` so often a second on average, each time at a moment of its own (a Poisson process), and waits for all of it. Two fixed rates would meet in step, and
 * one would always find the other there, or never.
 *
 * @param random evenly in [0, 1)
 */
export async function atRandom(perSecond: number, seconds: number, random: () => number, work: () => Promise<void>): Promise<void> {
  const running: Promise<void>[] = [];
  let dueMs = performance.now();
  for (let begun = 0; begun < perSecond * seconds; begun++) {
    dueMs += (-Math.log(1 - random()) / perSecond) * 1_000;
    await delay(Math.max(0, dueMs - performance.now()));
    running.push(work());
  }
  await Promise.all(running);
}

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

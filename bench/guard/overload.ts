import type { Exchange, ServiceUnderTest } from '../service-under-test.js';
import { Durations } from '../statistics.js';
import { setTimeout as delay } from 'node:timers/promises';
import { atRate } from './at-rate.js';
import { milliseconds, type GuardFigure } from './guard-figure.js';
import { filledService, SEARCH, searchBody, type GuardStage } from './keyed-service.js';

const FACTOR = 5;
const SECONDS = 10;
/** Not measured: clients open their connections, which a busy process accepts one by one. */
const WARM_UP_SECONDS = 3;
const PEAK_SECONDS = 8;
/** So many in flight that more does not help. */
const PEAK_LANES = 16;
const TEXTS = 20_000;
const GOAL_SHARE = 0.7;
const GOAL_MS = 50;

/** What a service still does when it is asked for much more than it can do. The generator shares its cores. */
export async function measureOverload(stage: GuardStage): Promise<GuardFigure[]> {
  const service = await filledService({ RATE_LIMIT_PER_MINUTE: '0' }, stage);
  // Made before: making texts costs the generator more than sending them.
  const texts = Array.from({ length: TEXTS }, () => searchBody(stage));
  let sent = 0;
  const next = (): object => texts[sent++ % TEXTS]!;
  try {
    const peakPerSecond = await peakOf(service, next);
    const offered = Math.round(peakPerSecond * FACTOR);
    stage.say(`Overload: ${peakPerSecond.toFixed(0)} searches a second at most; offering ${offered} for ${SECONDS} s ...`);
    let answered = new Durations();
    let turnedAway = new Durations();
    let failed = 0;
    const offer = async (): Promise<void> => {
      const outcome: Exchange | null = await service.exchange('POST', SEARCH, next()).catch(() => null);
      if (outcome?.status === 200) answered.add(outcome.durationMs);
      else if (outcome?.status === 503 || outcome?.status === 429) turnedAway.add(outcome.durationMs);
      else failed++;
    };
    const warmUp = atRate(offered, WARM_UP_SECONDS, offer);
    await delay(WARM_UP_SECONDS * 1_000);
    [answered, turnedAway] = [new Durations(), new Durations()];
    const startedMs = performance.now();
    await atRate(offered, SECONDS, offer);
    await warmUp;
    const share = answered.count / ((performance.now() - startedMs) / 1_000) / peakPerSecond;
    return [
      {
        what: `searches/s at ${FACTOR} x capacity`,
        measured: `${(share * peakPerSecond).toFixed(0)} of ${peakPerSecond.toFixed(0)} (${(100 * share).toFixed(0)} %), p95 ${milliseconds(answered.p95)}`,
        goal: `>= ${GOAL_SHARE * 100} %`,
        isMet: share >= GOAL_SHARE,
      },
      {
        what: 'turned away within, p50 and p95',
        measured: `${milliseconds(turnedAway.p50)}, ${milliseconds(turnedAway.p95)} (${turnedAway.count})`,
        goal: `p95 <= ${GOAL_MS} ms`,
        isMet: turnedAway.p95 <= GOAL_MS,
      },
      { what: 'neither answered nor turned away', measured: String(failed), goal: '0', isMet: failed === 0 },
    ];
  } finally {
    await service.stop();
  }
}

async function peakOf(service: ServiceUnderTest, next: () => object): Promise<number> {
  let done = 0;
  const untilMs = performance.now() + PEAK_SECONDS * 1_000;
  const lane = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      if ((await service.exchange('POST', SEARCH, next())).status === 200) done++;
    }
  };
  await Promise.all(Array.from({ length: PEAK_LANES }, lane));
  return done / PEAK_SECONDS;
}

import type { ServiceUnderTest } from '../service-under-test.js';
import { Durations } from '../statistics.js';
import { setTimeout as delay } from 'node:timers/promises';
import { milliseconds, type GuardFigure } from './guard-figure.js';
import { filledService, SEARCH, searchBody, type GuardStage } from './keyed-service.js';

const STOPS = 20;
const ROWS_MAXIMUM = 100;
const LANES = 8;
const LOADED_MS = 500;
const GOAL_MS = 20_000;
/** As in the container image, but shorter: connections are closed by answers before the port is. */
const SETTINGS = { SHUTDOWN_DELAY_MS: '1000' };

/** Ends services in an orderly way while they search, and counts the requests that got no answer. */
export async function measureStops(stage: GuardStage): Promise<GuardFigure[]> {
  stage.say(`${STOPS} orderly ends under load ...`);
  const durations = new Durations();
  let [clean, failedRequests] = [0, 0];
  for (let round = 1; round <= STOPS; round++) {
    const service = await filledService(SETTINGS, { ...stage, rows: Math.min(stage.rows, ROWS_MAXIMUM) });
    const lanes = Promise.all(Array.from({ length: LANES }, () => untilRefused(service, stage)));
    await delay(LOADED_MS);
    const { exitCode, durationMs } = await service.stop();
    durations.add(durationMs);
    if (exitCode === 0) clean++;
    const failures = (await lanes).flat();
    failedRequests += failures.length;
    stage.say(
      `  ${round} of ${STOPS}: exit code ${exitCode} after ${durationMs.toFixed(0)} ms${failures.map((why) => `; failed: ${why}`).join('')}`,
    );
  }
  const slowestMs = durations.percentile(100);
  return [
    {
      what: 'orderly ends under load',
      measured: `${clean} of ${STOPS}, slowest ${milliseconds(slowestMs)}`,
      goal: `${STOPS}, <= ${GOAL_MS / 1_000} s`,
      isMet: clean === STOPS && slowestMs <= GOAL_MS,
    },
    { what: 'requests in flight that failed then', measured: String(failedRequests), goal: '0', isMet: failedRequests === 0 },
  ];
}

/** Searches one after the other until nothing listens any more, which is no failure: such a request was never in flight. */
async function untilRefused(service: ServiceUnderTest, stage: GuardStage): Promise<string[]> {
  const failures: string[] = [];
  for (;;) {
    try {
      const { status } = await service.exchange('POST', SEARCH, searchBody(stage));
      if (status !== 200) failures.push(`status ${status}`);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ECONNREFUSED') return failures;
      failures.push(code ?? message);
    }
  }
}

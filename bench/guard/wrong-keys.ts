import { Durations } from '../statistics.js';
import { setTimeout as delay } from 'node:timers/promises';
import { atRate } from './at-rate.js';
import { milliseconds, type GuardFigure } from './guard-figure.js';
import { BEARER, filledService, SEARCH, searchBody, type GuardStage } from './keyed-service.js';

const WRONG_KEYS = 5_000;
const ATTACKERS = 8;
const PAUSE_MS = 8;
const SEARCHES_PER_SECOND = 20;
const QUIET_SECONDS = 10;
const GOAL_FACTOR = 2;

/** What somebody who guesses keys reaches, and what others notice of it. */
export async function measureWrongKeys(stage: GuardStage): Promise<GuardFigure[]> {
  stage.say(`${WRONG_KEYS} wrong keys beside ${SEARCHES_PER_SECOND} searches a second ...`);
  const settings = { AUTH: 'required', RATE_LIMIT_ADDRESS_PER_MINUTE: '0', RATE_LIMIT_PER_MINUTE: '0' };
  const service = await filledService(settings, stage);
  const figures = { letIn: 0, quiet: new Durations(), attacked: new Durations() };
  const search = (into: Durations) => async (): Promise<void> => {
    const { durationMs } = await service.exchange('POST', SEARCH, searchBody(stage), BEARER);
    into.add(durationMs);
  };
  let tried = 0;
  const attack = async (): Promise<void> => {
    while (tried++ < WRONG_KEYS) {
      const guess = `kdr_${'0'.repeat(12 - String(tried).length)}${tried}_${'a'.repeat(64)}_00000000`;
      const { status } = await service.exchange('GET', '/api/v1/projects', undefined, { authorization: `Bearer ${guess}` });
      if (status !== 401 && status !== 429) figures.letIn++;
      await delay(PAUSE_MS);
    }
  };
  try {
    await atRate(SEARCHES_PER_SECOND, QUIET_SECONDS, search(figures.quiet));
    let isOver = false;
    const attackers = Promise.all(Array.from({ length: ATTACKERS }, attack)).finally(() => (isOver = true));
    while (!isOver) await atRate(SEARCHES_PER_SECOND, 1, search(figures.attacked));
    await attackers;
  } finally {
    await service.stop();
  }
  const { letIn, quiet, attacked } = figures;
  return [
    { what: `let in of ${WRONG_KEYS} wrong keys`, measured: String(letIn), goal: '0', isMet: letIn === 0 },
    {
      what: 'search p99 meanwhile',
      measured: `${milliseconds(attacked.p99)} (quiet ${milliseconds(quiet.p99)})`,
      goal: `<= ${GOAL_FACTOR} x`,
      isMet: attacked.p99 <= GOAL_FACTOR * quiet.p99,
    },
  ];
}

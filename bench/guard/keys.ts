import { Durations } from '../statistics.js';
import { milliseconds, type GuardFigure } from './guard-figure.js';
import { keyedService, makeKey, type GuardStage } from './keyed-service.js';

const ROUNDS = 1_500;
const WARM_UP_ROUNDS = 100;
/** Little happens behind the door there. */
const PATH = '/api/v1/similarity/stats';
const KEY_GOAL_MS = 0.3;
const LIMIT_GOAL_MS = 1;

/** What a key adds to a request, and what a limit adds to that: one request at a time, the kinds in turn, so that all see the same weather. */
export async function measureKeys(stage: GuardStage): Promise<GuardFigure[]> {
  stage.say(`Keys: ${ROUNDS} requests of each kind in turn ...`);
  const service = await keyedService({ RATE_LIMIT_PER_MINUTE: '0' });
  try {
    const kinds = {
      none: {},
      key: await makeKey(service, {}),
      // The limit that keys have when nobody says another.
      limited: await makeKey(service, { rate_limit_per_minute: 6_000 }),
      // So few that each is counted in the database.
      counted: await makeKey(service, { rate_limit_per_minute: 199 }),
    };
    const figures = { none: new Durations(), key: new Durations(), limited: new Durations(), counted: new Durations() };
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of ['none', 'key', 'limited', 'counted'] as const) {
        if (kind === 'counted' && round >= WARM_UP_ROUNDS + 90) continue;
        const { status, durationMs } = await service.exchange('GET', PATH, undefined, kinds[kind]);
        if (status !== 200) throw new Error(`A request with ${kind} was answered with ${status}`);
        if (round >= WARM_UP_ROUNDS) figures[kind].add(durationMs);
      }
    }
    const [keyMs, limitMs] = [figures.key.p50 - figures.none.p50, figures.limited.p50 - figures.key.p50];
    return [
      { what: 'a request without a key, p50', measured: milliseconds(figures.none.p50), goal: '', isMet: null },
      { what: 'a key adds, p50', measured: milliseconds(keyMs), goal: `<= ${KEY_GOAL_MS} ms`, isMet: keyMs <= KEY_GOAL_MS },
      {
        what: 'a limit of 6,000 adds to that, p50',
        measured: milliseconds(limitMs),
        goal: `<= ${LIMIT_GOAL_MS} ms`,
        isMet: limitMs <= LIMIT_GOAL_MS,
      },
      {
        what: 'a limit that asks PostgreSQL each time, p50',
        measured: milliseconds(figures.counted.p50 - figures.key.p50),
        goal: '',
        isMet: null,
      },
    ];
  } finally {
    await service.stop();
  }
}

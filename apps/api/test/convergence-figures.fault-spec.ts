import { faultTrials, recordFigure, recordTrials } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { atRate, percentile, rounded, ServiceStage } from './service-stage.js';

const DIRTY_ROWS = 1_000;
const CACHED_GOAL_MS = 5_000;
const UNCACHED_GOAL_MS = 20_000;
const PAYLOAD_ROWS = faultTrials(3_000, 10_000);
const PAYLOAD_GOAL_PER_SECOND = 2_000;
const WRITES_PER_SECOND = 20;
const LAG_SECONDS = faultTrials(10, 60);
const LAG_P50_GOAL_MS = 150;
const LAG_P99_GOAL_MS = 1_000;
/** Longer than a lease: what the frozen process holds is lost to it. */
const FROZEN_MS = 7_000;
const TIMEOUT_MS = 300_000;

/** Text of about 40 tokens of the bundled model, another one for each row and round. */
const FORTY_TOKENS = `'Fitted wall cupboard with soft close doors and oiled front panels for the kitchen of house ' || n || ', built in ' || $1::text
  || ' with drawers, plinth, worktop and a rail for towels, delivered and mounted on site'`;

/* The service with its real model on two cores: how long until the index is right again. */
describe('after the last fault', () => {
  let stage: ServiceStage;

  beforeAll(async () => {
    stage = await ServiceStage.set();
    await stage.database.query(
      `INSERT INTO projects (name, description, external_id) SELECT 'Cupboard', ${FORTY_TOKENS}, n::text FROM generate_series(1, ${DIRTY_ROWS}) AS n`,
      ['spring'],
    );
    await stage.untilDrained(TIMEOUT_MS);
  }, TIMEOUT_MS);
  afterAll(() => stage.strike(), 60_000);

  /** Freezes the process while the rows change, and measures from its awakening. */
  async function converge(season: string): Promise<number> {
    stage.server.signal('SIGSTOP');
    await stage.database.query(`UPDATE projects SET description = (SELECT ${FORTY_TOKENS} FROM (SELECT external_id AS n) AS x)`, [season]);
    await delay(FROZEN_MS);
    stage.server.signal('SIGCONT');
    const tookMs = await stage.untilDrained(TIMEOUT_MS);
    expect(await stage.certify()).toMatchObject({ decision: 'clean', rows: DIRTY_ROWS, points: DIRTY_ROWS });
    recordTrials({ test: 'T5', what: 'the api is frozen past its leases while 1,000 rows change', count: 1 });
    return tookMs;
  }

  it(
    'rows with new texts are embedded and found',
    async () => {
      const tookMs = await converge('summer');
      recordFigure({
        name: '1,000 dirty rows of 40 tokens, not cached: in step after',
        value: rounded(tookMs / 1_000),
        unit: 's',
        goal: '<= 20 s',
        isMet: tookMs <= UNCACHED_GOAL_MS,
      });
    },
    TIMEOUT_MS,
  );

  it(
    'rows whose vectors are cached',
    async () => {
      const tookMs = await converge('spring');
      recordFigure({
        name: '1,000 dirty rows with cached vectors: in step after',
        value: rounded(tookMs / 1_000),
        unit: 's',
        goal: '<= 5 s',
        isMet: tookMs <= CACHED_GOAL_MS,
      });
    },
    TIMEOUT_MS,
  );

  it(
    'payload-only changes',
    async () => {
      await stage.database.query(
        `INSERT INTO projects (name, description, final_price) SELECT 'Bench', 'Plain bench, variant ' || n % 40, n FROM generate_series(1, ${PAYLOAD_ROWS}) AS n`,
      );
      await stage.untilDrained(TIMEOUT_MS);
      await stage.database.query(`UPDATE projects SET final_price = final_price + 1 WHERE name = 'Bench'`);
      const tookMs = await stage.untilDrained(TIMEOUT_MS);
      const perSecond = (PAYLOAD_ROWS / tookMs) * 1_000;
      recordFigure({
        name: `${PAYLOAD_ROWS} payload-only changes drain at`,
        value: Math.round(perSecond),
        unit: 'rows/s',
        goal: '>= 2,000 rows/s',
        isMet: perSecond >= PAYLOAD_GOAL_PER_SECOND,
      });
      expect((await stage.certify()).decision).toBe('clean');
    },
    TIMEOUT_MS,
  );

  it(
    'a write is searchable',
    async () => {
      const lagsMs: number[] = [];
      const problems: string[] = [];
      await atRate(WRITES_PER_SECOND, AbortSignal.timeout(LAG_SECONDS * 1_000), async (n) => {
        const name = `Pergola ${n}`;
        const written = await fetch(`${stage.server.url}/api/v1/projects`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ name, description: `Free standing pergola in larch, number ${n}, with a bench` }),
        });
        const committedMs = performance.now();
        const { id } = (await written.json()) as { id: string };
        const found = await fetch(`${stage.server.url}/api/v1/similarity/find-similar`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-kindred-token': written.headers.get('x-kindred-token')! },
          body: JSON.stringify({
            query: `free standing pergola in larch, number ${n}`,
            mode: 'vector',
            top_k: 100,
            threshold: -1,
            wait_ms: 10_000,
          }),
        });
        const reply = (await found.json()) as { freshness: string; degraded: boolean; results: { project: { id: string } }[] };
        lagsMs.push(performance.now() - committedMs);
        if (reply.freshness !== 'fresh' || reply.degraded) problems.push(`write ${n}: ${reply.freshness}`);
        if (n < 90 && !reply.results.some(({ project }) => project.id === id)) problems.push(`write ${n} is not found`);
      });
      const [p50, p99] = [percentile(lagsMs, 0.5), percentile(lagsMs, 0.99)];
      recordFigure({
        name: `commit to searchable at ${WRITES_PER_SECOND} writes/s (${lagsMs.length} writes), p50`,
        value: rounded(p50),
        unit: 'ms',
        goal: '<= 150 ms',
        isMet: p50 <= LAG_P50_GOAL_MS,
      });
      recordFigure({
        name: `commit to searchable at ${WRITES_PER_SECOND} writes/s (${lagsMs.length} writes), p99`,
        value: rounded(p99),
        unit: 'ms',
        goal: '<= 1 s',
        isMet: p99 <= LAG_P99_GOAL_MS,
      });
      expect(problems).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

import {
  realQdrantUrl,
  faultSeed,
  faultTrials,
  recordDuration,
  recordTrials,
  SeededRandom,
  waitFor,
  workloadId,
  type ServerProcess,
} from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

/** 10,000 searches in all in the long form. */
const SEARCHES = faultTrials(150, 2_500);
const FLAPS = faultTrials(2, 12);
const FLAP_MS = faultTrials(1_000, 5_000);
const LANES = 4;
const ROWS = 120;
const REGIONS = ['Bavaria', 'Saxony', 'Tyrol'];
const WORDS = ['oak', 'ash', 'larch', 'stair', 'door', 'roof'];
const TOP_K = 5;
const OPENS_WITHIN_MS = 2_000;
/** As long as the breaker leaves a failing index alone. */
const OPEN_MS = 2_000;
const SAME_SCORE = 3;
const QUERY = /\/points\/query/;

interface Reply {
  readonly results: readonly { readonly project: { readonly id: string; readonly region: string }; readonly similarity: number }[];
  readonly degraded: boolean;
  readonly source: string;
  readonly index_age_seconds?: number;
}

interface Status {
  readonly search: {
    readonly counters: { readonly answered: Readonly<Record<string, number>>; readonly degraded: number; unanswered: number };
  };
}

/** On the double of Qdrant only: a real server does not fail to order. */
const describeOnDouble = realQdrantUrl === null ? describe : describe.skip;
if (realQdrantUrl !== null) process.stderr.write('T28: NOT RUN, because TEST_QDRANT_URL is set and its errors are those of the double\n');

describeOnDouble(`T28: searches over HTTP while the index fails, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  /** Scores of an index in order, by question. */
  const expected = new Map<string, number[]>();
  const statuses = new Map<number, number>();
  let stage: FaultStage;
  let api: ServerProcess;
  /** What happened to the queries that came to the index. */
  const index = { failed: 0, passed: 0, arrivals: [] as number[] };
  const told = { local: 0, qdrant: 0 };

  beforeAll(async () => {
    stage = await FaultStage.set({ environment: { VECTOR_FALLBACK: 'local' } });
    await stage.query(
      `INSERT INTO projects (id, name, description, region)
       SELECT (replace($1, 'ffffffffffff', lpad(to_hex(n), 12, '0')))::uuid, 'Row', ($2::text[])[1 + n % 6] || ' ' || ($2::text[])[1 + n / 6 % 6] || ' ' || n,
              ($3::text[])[1 + n % 3] FROM generate_series(1, ${ROWS}) n`,
      [workloadId(28, 0xffffffffffff), WORDS, REGIONS],
    );
    api = await stage.start('api');
    await stage.untilInStep();
    await waitFor(
      async () => {
        const { body } = await api.call<{ details: { vector_db: { fallback: { copy: string } } } }>('GET', '/health');
        return body.details.vector_db.fallback.copy === 'ready';
      },
      { what: 'the copy is ready' },
    );
    for (const word of WORDS) for (const region of REGIONS) expected.set(`${word} ${region}`, scoresOf((await ask(word, region)).body));
  }, 120_000);
  afterEach(() => stage.double!.clearFaults());
  afterAll(() => stage.strike());

  const scoresOf = ({ results }: Reply) => results.map(({ similarity }) => similarity);
  const ask = (query: string, region: string) =>
    api.call<Reply>('POST', '/api/v1/similarity/find-similar', { query, mode: 'vector', top_k: TOP_K, threshold: -1, filters: { region } });

  /** From now on the index fails such a share of its searches; all of them are counted. */
  function failShare(share: number): void {
    stage.double!.clearFaults();
    Object.assign(index, { failed: 0, passed: 0, arrivals: [] });
    const isHit = (): boolean => {
      const hit = random.chance(share);
      index.arrivals.push(performance.now());
      index[hit ? 'failed' : 'passed']++;
      return hit;
    };
    stage.double!.inject({ kind: 'status', status: 500 }, { on: QUERY, times: Number.MAX_SAFE_INTEGER, when: isHit });
  }

  /** Searches once. The answer must be right, and say who gave it. */
  async function search(): Promise<Reply> {
    const [word, region] = [random.pick(WORDS), random.pick(REGIONS)];
    const { status, body } = await ask(word, region);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    expect(status).toBe(200);
    expect(body.results.map(({ project }) => project.region)).toEqual(Array.from({ length: TOP_K }, () => region));
    for (const [n, score] of scoresOf(body).entries()) expect(score).toBeCloseTo(expected.get(`${word} ${region}`)![n]!, SAME_SCORE);
    expect([body.degraded, body.index_age_seconds !== undefined]).toEqual(body.source === 'local' ? [true, true] : [false, false]);
    told[body.source as keyof typeof told]++;
    return body;
  }

  async function searchTimes(count: number): Promise<void> {
    const lane = async (lane: number): Promise<void> => {
      for (let n = lane; n < count; n += LANES) await search();
    };
    await Promise.all(Array.from({ length: LANES }, (_, n) => lane(n)));
  }

  const counters = async () => (await api.call<Status>('GET', '/api/v1/admin/sync/status')).body.search.counters;
  /** Who answered since, by the account of the service and by what clients were told: they must say the same, and so must the index. */
  async function flaggedAsCounted(work: () => Promise<void>): Promise<void> {
    const before = await counters();
    Object.assign(told, { local: 0, qdrant: 0 });
    await work();
    const after = await counters();
    const answered = (source: string) => (after.answered[source] ?? 0) - (before.answered[source] ?? 0);
    expect(told).toEqual({ local: answered('local'), qdrant: answered('qdrant') });
    expect(after.degraded - before.degraded).toBe(told.local);
    expect(after.unanswered).toBe(0);
    // What the index did not answer was not answered by the index.
    expect(told.qdrant).toBeLessThanOrEqual(index.passed);
  }
  const untilHealthy = () => waitFor(async () => !(await search()).degraded, { what: 'the index is asked again', intervalMs: 50 });

  it.each([[0.1], [0.5], [1]])(
    `the index fails a share of %d of its searches: each of ${SEARCHES} is answered, rightly, and flagged when the copy did`,
    async (share) => {
      failShare(share);
      await flaggedAsCounted(() => searchTimes(SEARCHES));
      expect(index.failed).toBeGreaterThan(0);
      expect(told.local).toBeGreaterThan(0);
      if (share === 1) expect(told.qdrant).toBe(0);
      else expect(told.qdrant).toBeGreaterThan(0);
      recordTrials({ test: 'T28', what: `searches, ${share * 100} % of the index's fail`, count: SEARCHES, seed: faultSeed });
      recordTrials({ test: 'T28', what: '  answered by the copy', count: told.local });
      failShare(0);
      await untilHealthy();
    },
    600_000,
  );

  it(`opens within ${OPENS_WITHIN_MS} ms when all fail, and then sends a probe per window`, async () => {
    failShare(1);
    const searching = new AbortController();
    const lane = async (): Promise<void> => {
      while (!searching.signal.aborted) {
        await search();
        await delay(50);
      }
    };
    const lanes = Promise.all(Array.from({ length: LANES }, lane));
    // A window and a half.
    await delay(1.6 * OPEN_MS);
    searching.abort();
    await lanes;
    const [first] = index.arrivals;
    const sinceFirst = index.arrivals.map((at) => at - first!);
    const gaps = sinceFirst.slice(1).map((at, n) => at - sinceFirst[n]!);
    // It is open when the first gap begins that only a breaker makes.
    const opened = sinceFirst[gaps.findIndex((gap) => gap > OPEN_MS / 2)];
    recordDuration('T28: from the first failure until the breaker is open', opened ?? Number.POSITIVE_INFINITY, OPENS_WITHIN_MS);
    expect(opened).toBeLessThan(OPENS_WITHIN_MS);
    expect(sinceFirst.filter((at) => at > opened! + OPEN_MS / 2).length).toBeLessThanOrEqual(2);
    failShare(0);
    await untilHealthy();
  }, 60_000);

  it(`flaps every ${FLAP_MS} ms, ${FLAPS} times, under ${SEARCHES} searches`, async () => {
    failShare(0);
    let failing = 0;
    const flap = async (): Promise<void> => {
      for (let n = 0; n < FLAPS; n++) {
        for (const share of [1, 0]) {
          failing += index.failed;
          const { passed } = index;
          failShare(share);
          index.passed = passed;
          await delay(FLAP_MS);
        }
      }
    };
    await flaggedAsCounted(async () => {
      const flapping = flap();
      let count = 0;
      const isOver = flapping.then(() => true);
      for (let over = false; !over || count < SEARCHES; count += LANES) {
        await searchTimes(LANES);
        over = await Promise.race([isOver, delay(FLAP_MS / 50).then(() => false)]);
      }
      recordTrials({ test: 'T28', what: 'searches while the index flaps', count, seed: faultSeed });
    });
    expect(failing).toBeGreaterThan(0);
    expect(told.local).toBeGreaterThan(0);
    await untilHealthy();
    recordTrials({ test: 'T28', what: 'flaps', count: FLAPS, seed: faultSeed });
    expect([...statuses.keys()]).toEqual([200]);
  }, 600_000);
});

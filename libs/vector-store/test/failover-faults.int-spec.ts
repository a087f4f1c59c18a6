import { SystemClock } from '#kernel';
import { FakeVectorStore, SeededRandom, waitFor } from '#testing';
import { FailoverVectorStore, SearchReplica, VectorStoreError, type Answered, type ScoredPoint, type VectorQuery } from '#vector-store';
import { Logger } from '@nestjs/common';
import { COLLECTION, idOf, pointOf, QdrantFixture, QUERY } from './qdrant-fixture.js';

const SEED = 20261126;
const SEARCHES = 200;
const POINTS = 40;
const TIMEOUT_MS = 300;

/** Half of the points are "kept" by the filter; the searches of the tests must never see another one. */
const point = (n: number) => {
  const angle = n / POINTS;
  return { ...pointOf(n, 1, n % 2 === 0 ? 'kept' : 'hidden'), vector: Float32Array.of(Math.cos(angle), Math.sin(angle), 0, 0) };
};
const SEARCH: VectorQuery = { vector: Float32Array.of(1, 0, 0, 0), limit: 10, filter: { kind: 'any', field: 'note', values: ['kept'] } };
const EXPECTED = Array.from({ length: 10 }, (_, n) => idOf(2 * (n + 1)));

describe(`failover under faults of Qdrant (on a double; seed ${SEED})`, () => {
  let fixture: QdrantFixture;
  let copy: FakeVectorStore;
  let replica: SearchReplica;
  let store: FailoverVectorStore;
  const clock = new SystemClock();
  beforeAll(() => Logger.overrideLogger(false));
  beforeEach(async () => {
    fixture = new QdrantFixture();
    await fixture.start();
    copy = new FakeVectorStore();
    await copy.ensureIndex({ name: COLLECTION, dimensions: 4, payloadIndexes: [], metadata: {} });
    const points = Array.from({ length: POINTS }, (_, n) => point(n + 1));
    await fixture.store.delete(COLLECTION, [{ id: idOf(1), rev: 9 }]);
    for (const one of [fixture.store, copy]) await one.upsert(COLLECTION, points);
    replica = new SearchReplica(copy, 1_000, clock);
    replica.setInStep(COLLECTION, { readAtMs: clock.monotonicMs(), oldestPendingMs: 0 });
    store = new FailoverVectorStore({ primary: fixture.store, replica, searchTimeoutMs: TIMEOUT_MS, clock, random: () => 1 });
    await search();
    fixture.double.requests.length = 0;
    copy.calls.query = 0;
  });
  afterEach(async () => {
    fixture.double.clearFaults();
    await fixture.stop();
  });

  const search = (): Promise<Answered<ScoredPoint[]>> => store.answer(COLLECTION, (from) => from.query(COLLECTION, SEARCH));
  /** Searches, and makes sure that the flag says who answered, and that the answer is right whoever it was. */
  const checkedSearch = async (): Promise<Answered<ScoredPoint[]>> => {
    const before = copy.calls.query ?? 0;
    const answered = await search();
    expect(answered.value.map(({ id }) => id)).toEqual(EXPECTED);
    const isFromCopy = (copy.calls.query ?? 0) > before;
    expect([answered.isDegraded, answered.source, answered.indexAgeSeconds !== null]).toEqual(
      isFromCopy ? [true, 'local', true] : [false, 'qdrant', false],
    );
    return answered;
  };
  const failAll = (status = 500) => fixture.double.inject({ kind: 'status', status }, { on: QUERY, times: Number.MAX_SAFE_INTEGER });

  it.each([[0.1], [0.5], [1]])('answers every search with errors in a share of %d, and flags exactly those of the copy', async (share) => {
    const random = new SeededRandom(SEED);
    let failures = 0;
    let degraded = 0;
    for (let n = 0; n < SEARCHES; n++) {
      fixture.double.clearFaults();
      if (random.chance(share)) {
        failures++;
        fixture.double.inject({ kind: 'status', status: random.pick([500, 502, 503, 429]) }, { on: QUERY });
      }
      if ((await checkedSearch()).isDegraded) degraded++;
    }
    expect(failures).toBeGreaterThan(0);
    expect(degraded).toBe(store.counters.degraded);
    expect(store.counters.unanswered).toBe(0);
    if (share === 0.1) {
      expect(store.counters.breaker).toBe('closed');
      // More, when a busy machine lets a search that was not disturbed take longer than its time.
      expect(degraded).toBeGreaterThanOrEqual(failures);
    }
    if (share === 1) expect(degraded).toBe(SEARCHES);
  });

  it('opens within 2 s when all fail, at 20 searches per second, and asks no more', async () => {
    failAll();
    const startedMs = performance.now();
    const searches: Promise<unknown>[] = [];
    await waitFor(
      () => {
        searches.push(checkedSearch().catch((error: unknown) => error));
        return store.counters.breaker === 'open';
      },
      { what: 'the breaker opens', intervalMs: 50 },
    );
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    await Promise.all(searches);
    const asked = fixture.requestsTo(QUERY);
    for (let n = 0; n < 50; n++) await checkedSearch();
    expect(fixture.requestsTo(QUERY)).toBe(asked);
  });

  it.each(['hangs', 'refuses', 'breaks connections'] as const)('answers from the copy when Qdrant %s', async (fault) => {
    const held = fault === 'hangs' ? fixture.double.inject({ kind: 'hold' }, { on: QUERY, times: 100 }) : null;
    if (fault === 'breaks connections') fixture.double.inject({ kind: 'reset' }, { on: QUERY, times: 1_000 });
    const port = Number(new URL(fixture.double.url).port);
    if (fault === 'refuses') await fixture.double.stop();
    for (let n = 0; n < 5; n++) {
      const startedMs = performance.now();
      expect((await search()).isDegraded).toBe(true);
      expect(performance.now() - startedMs).toBeLessThan(TIMEOUT_MS + 1_000);
    }
    expect(store.counters.breaker).toBe('open');
    const startedMs = performance.now();
    for (let n = 0; n < 20; n++) await search();
    // Nobody waits while it is open.
    expect(performance.now() - startedMs).toBeLessThan(TIMEOUT_MS);
    held?.release();
    fixture.double.clearFaults();
    if (fault === 'refuses') await fixture.double.start(port);
    await waitFor(async () => !(await search()).isDegraded, { what: 'Qdrant answers again' });
    expect(store.counters.breaker).toBe('closed');
  });

  it('survives flapping without one unanswered, unflagged or falsely flagged search', async () => {
    for (let flap = 0; flap < 3; flap++) {
      failAll(503);
      await waitFor(async () => (await checkedSearch()).isDegraded && store.counters.breaker === 'open', { what: 'it opens' });
      fixture.double.clearFaults();
      await waitFor(async () => !(await checkedSearch()).isDegraded, { what: 'it closes', intervalMs: 100 });
    }
    expect(store.counters).toMatchObject({ unanswered: 0, breaker: 'closed', transitions: { open: 3, closed: 3 } });
  });

  it('sends one probe per window, however many search', async () => {
    failAll();
    await waitFor(async () => (await search(), store.counters.breaker === 'open'), { what: 'it opens' });
    fixture.double.requests.length = 0;
    const openedMs = performance.now();
    while (performance.now() - openedMs < 5_000) await Promise.all(Array.from({ length: 20 }, search));
    // Windows of 2 s: probes at 2 and 4 s.
    expect(fixture.requestsTo(QUERY)).toBe(2);
    expect(store.counters.transitions['half-open']).toBe(2);
  });

  it('keeps writing while searches fail, and keeps searches apart from failing writes', async () => {
    failAll();
    for (let n = 0; n < 6; n++) await search();
    await store.upsert(COLLECTION, [pointOf(500)]);
    await expect(fixture.store.retrieve(COLLECTION, [idOf(500)])).resolves.toHaveLength(1);
    fixture.double.clearFaults();
    await waitFor(async () => !(await search()).isDegraded, { what: 'it closes' });
    fixture.double.inject({ kind: 'status', status: 500 }, { on: /^PUT .*points/, times: 20 });
    for (let n = 0; n < 10; n++) await expect(store.upsert(COLLECTION, [pointOf(501)])).rejects.toBeInstanceOf(VectorStoreError);
    expect((await search()).isDegraded).toBe(false);
  });
});

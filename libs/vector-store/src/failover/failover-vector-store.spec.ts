import { FakeVectorStore, FixedClock, HookedVectorStore, waitFor } from '#testing';
import { Logger } from '@nestjs/common';
import { VectorStoreError } from '../vector-store-error.js';
import type { ScoredPoint, VectorPoint, VectorStore } from '../vector-store.js';
import { FailoverVectorStore } from './failover-vector-store.js';
import { SearchReplica } from './search-replica.js';

const COLLECTION = 'c';
const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const pointOf = (n: number): VectorPoint => ({
  id: idOf(n),
  vector: Float32Array.of(Math.cos(n / 100), Math.sin(n / 100)),
  payload: { rev: 1, text_hash: 'a', payload_hash: 'b', model_rev: 'm', bucket: '00', parity: n % 2 },
});
const away = () => new VectorStoreError('unavailable', 'The double is away');
const search = (store: VectorStore) => store.query(COLLECTION, { vector: Float32Array.of(1, 0), limit: 20 });

describe('FailoverVectorStore', () => {
  let clock: FixedClock;
  let primary: HookedVectorStore;
  let copy: FakeVectorStore;
  let replica: SearchReplica;
  let random: number;
  let store: FailoverVectorStore;
  let warnings: jest.SpyInstance;
  beforeEach(async () => {
    warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    clock = new FixedClock();
    primary = new HookedVectorStore('qdrant');
    copy = new FakeVectorStore();
    replica = new SearchReplica(copy, 1_000, clock);
    random = 1;
    store = new FailoverVectorStore({ primary, replica, searchTimeoutMs: 2_000, clock, random: () => random });
    for (const one of [primary, copy]) {
      await one.ensureIndex({ name: COLLECTION, dimensions: 2, payloadIndexes: [], metadata: {} });
      await one.upsert(
        COLLECTION,
        Array.from({ length: 20 }, (_, n) => pointOf(n)),
      );
    }
    replica.setInStep(COLLECTION, { readAtMs: clock.monotonicMs(), oldestPendingMs: 3_000 });
  });
  afterEach(() => warnings.mockRestore());

  const answer = <T = ScoredPoint[]>(call: (from: VectorStore) => Promise<T> = search as never) => store.answer(COLLECTION, call);
  const openBreaker = async () => {
    primary.failWith(away());
    for (let n = 0; n < 5; n++) await answer();
    expect(store.counters.breaker).toBe('open');
  };
  const queriesOf = (one: FakeVectorStore): number => one.calls.query ?? 0;

  it('answers from the index while that answers', async () => {
    const { value, ...origin } = await answer();
    expect(value).toHaveLength(20);
    expect(origin).toEqual({ isDegraded: false, source: 'qdrant', indexAgeSeconds: null });
    expect([queriesOf(primary), queriesOf(copy)]).toEqual([1, 0]);
  });

  it('answers the very search that fails from the copy, and says how old that may be', async () => {
    primary.failWith(away());
    clock.advance(1_000);
    expect(await answer()).toMatchObject({ isDegraded: true, source: 'local', indexAgeSeconds: 4 });
    expect([queriesOf(primary), queriesOf(copy)]).toEqual([1, 1]);
  });

  it('asks the index no more while the breaker is open', async () => {
    await openBreaker();
    const before = queriesOf(primary);
    for (let n = 0; n < 50; n++) expect((await answer()).isDegraded).toBe(true);
    expect(queriesOf(primary)).toBe(before);
  });

  it('is back with the first search after the window, undegraded', async () => {
    await openBreaker();
    primary.failWith(null);
    expect((await answer()).isDegraded).toBe(true);
    clock.advance(2_000);
    expect(await answer()).toMatchObject({ isDegraded: false, source: 'qdrant' });
    expect(store.counters.transitions).toEqual({ open: 1, 'half-open': 1, closed: 1 });
  });

  it('does not let a search wait for a probe that hangs, and closes when the probe succeeds later', async () => {
    await openBreaker();
    clock.advance(2_000);
    const probe = Promise.withResolvers<ScoredPoint[]>();
    const startedMs = performance.now();
    const held = await answer((from) => (from === primary ? probe.promise : search(from)));
    expect([held.isDegraded, performance.now() - startedMs < 1_500]).toEqual([true, true]);
    primary.failWith(null);
    expect((await answer()).isDegraded).toBe(true);
    probe.resolve([]);
    await waitFor(() => store.counters.breaker === 'closed', { what: 'the breaker closes' });
    expect((await answer()).isDegraded).toBe(false);
  });

  it('passes on what the index refuses, and does not ask the copy', async () => {
    primary.failWith(new VectorStoreError('rejected', 'a bad query'));
    for (let n = 0; n < 20; n++) await expect(answer()).rejects.toMatchObject({ kind: 'rejected' });
    expect([queriesOf(copy), store.counters.breaker, store.counters.primaryFailures]).toEqual([0, 'closed', {}]);
  });

  it('answers from the copy while the collection is missing, and keeps asking', async () => {
    primary.failWith(new VectorStoreError('collection-missing', 'gone'));
    for (let n = 0; n < 20; n++) expect((await answer()).isDegraded).toBe(true);
    primary.failWith(null);
    expect([(await answer()).isDegraded, store.counters.breaker]).toEqual([false, 'closed']);
  });

  it.each([['building'], ['too-large']] as const)('fails as the index does while the copy is %s', async (state) => {
    replica.setState(COLLECTION, state);
    primary.failWith(new VectorStoreError('throttled', 'slow down', { retryAfterMs: 7_000 }));
    await expect(answer()).rejects.toMatchObject({ kind: 'throttled', options: { retryAfterMs: 7_000 } });
    expect([queriesOf(copy), store.counters.unanswered]).toEqual([0, 1]);
  });

  it('fails at once, saying when to come again, while the breaker is open and there is no copy', async () => {
    store = new FailoverVectorStore({ primary, replica: null, searchTimeoutMs: 2_000, clock, random: () => 0 });
    primary.failWith(away());
    for (let n = 0; n < 5; n++) await expect(answer()).rejects.toMatchObject({ kind: 'unavailable' });
    const before = queriesOf(primary);
    clock.advance(500);
    await expect(answer()).rejects.toMatchObject({ kind: 'unavailable', options: { retryAfterMs: 1_500 } });
    expect(queriesOf(primary)).toBe(before);
  });

  it('fails as the index does when the copy is away as well, and as the copy when that refuses', async () => {
    primary.failWith(away());
    copy.failWith(new VectorStoreError('unavailable', 'the thread died'));
    await expect(answer()).rejects.toThrow('The double is away');
    copy.failWith(new VectorStoreError('rejected', 'a bad query'));
    await expect(answer()).rejects.toThrow('a bad query');
  });

  it('never lets a write, a comparison or a proof touch the copy or the breaker', async () => {
    await openBreaker();
    const writes = [
      () => store.upsert(COLLECTION, [pointOf(99)]),
      () => store.delete(COLLECTION, [{ id: idOf(1), rev: 9 }]),
      () => store.count(COLLECTION),
      () => store.countByBucket(COLLECTION),
      () => store.retrieve(COLLECTION, [idOf(1)]),
      () => store.scroll(COLLECTION, { limit: 5 }),
      () => store.info(COLLECTION),
      () => store.setMetadata(COLLECTION, { a: 1 }),
    ];
    const before = { ...copy.calls };
    for (const call of writes) await expect(call()).rejects.toMatchObject({ kind: 'unavailable' });
    primary.failWith(null);
    for (const call of writes) await call();
    expect([copy.calls, store.counters.breaker]).toEqual([before, 'open']);
    expect(await copy.count(COLLECTION)).toBe(20);
  });

  it('does not hold it against the index that callers give up', async () => {
    const query = { vector: Float32Array.of(1, 0), limit: 1 };
    for (let n = 0; n < 10; n++)
      await expect(store.query(COLLECTION, query, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'unavailable' });
    expect([store.counters.breaker, store.counters.primaryFailures, queriesOf(copy)]).toEqual(['closed', {}, 0]);
  });

  it('counts what happened', async () => {
    await answer();
    await openBreaker();
    await answer();
    expect(store.counters).toMatchObject({
      searches: { qdrant: 1, local: 6 },
      degraded: 6,
      unanswered: 0,
      breaker: 'open',
      transitions: { open: 1, 'half-open': 0, closed: 0 },
      primaryFailures: { unavailable: 5 },
    });
    expect(store.status()).toEqual({ breaker: 'open', replicas: [{ collection: COLLECTION, state: 'ready', ageSeconds: 3 }] });
  });

  it('logs the same failure once a minute, with how often it came', async () => {
    primary.failWith(away());
    for (let n = 0; n < 4; n++) await answer();
    primary.failWith(null);
    await answer();
    primary.failWith(away());
    for (let n = 0; n < 4; n++) await answer();
    expect(warnings.mock.calls.map(([message]) => message)).toEqual(['A search was not answered by the index: The double is away']);
    clock.advance(60_000);
    await answer();
    expect(warnings.mock.calls.map(([message]) => message)).toContain(
      'A search was not answered by the index: The double is away (7 more times since the last message)',
    );
  });

  describe('comparing healthy searches', () => {
    const settle = () => waitFor(() => store.counters.shadowSearches + store.counters.shadowsMissed > 0, { what: 'the comparison' });

    it('finds equal content equal', async () => {
      random = 0;
      await answer();
      await settle();
      expect(store.counters).toMatchObject({ shadowSearches: 1, overlapSum: 1, overlapCount: 1, overlapLast: 1 });
    });

    it('sees what is missing from the copy, per query of a batch', async () => {
      random = 0;
      await copy.delete(COLLECTION, [{ id: idOf(0), rev: 2 }]);
      const query = { vector: Float32Array.of(1, 0), limit: 20 };
      await answer((from) => from.queryBatch(COLLECTION, [query, { ...query, limit: 4 }]));
      await settle();
      // Of the ten best, nine are the same; of four, three.
      expect(store.counters).toMatchObject({ overlapCount: 2, overlapSum: 0.9 + 0.75, overlapLast: 0.75 });
    });

    it('takes one of a hundred, and only what has a list of results', async () => {
      random = 0.01;
      await answer();
      random = 0;
      await answer((from) => from.info(COLLECTION));
      await new Promise(setImmediate);
      expect([queriesOf(copy), store.counters.shadowSearches]).toEqual([0, 0]);
    });

    it('never delays the answer, runs two at a time at most, and swallows failures', async () => {
      random = 0;
      const held = Promise.withResolvers<ScoredPoint[]>();
      for (let n = 0; n < 10; n++) {
        expect((await answer((from) => (from === copy ? held.promise : search(from)))).isDegraded).toBe(false);
        await new Promise(setImmediate);
      }
      expect(store.counters).toMatchObject({ shadowSearches: 0, shadowsMissed: 8 });
      held.reject(new Error('the copy is broken'));
      await waitFor(() => store.counters.shadowsMissed === 10, { what: 'both have ended' });
      copy.failWith(null);
      await answer();
      await waitFor(() => store.counters.shadowSearches === 1, { what: 'there is room again' });
    });

    it('compares nothing with a copy that is not in step', async () => {
      random = 0;
      replica.setState(COLLECTION, 'building');
      await answer();
      await new Promise(setImmediate);
      expect(store.counters).toMatchObject({ shadowSearches: 0, shadowsMissed: 0 });
    });
  });
});

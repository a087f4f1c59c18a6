import { DomainError } from '#kernel';
import { waitFor } from '#testing';
import { VectorStoreError } from '#vector-store';
import type { RelayUnitOfWork } from '#database';
import { idOf, SyncHarness } from './sync-harness.js';

describe('IndexRelay', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());

  const attemptsOf = async (id: string) => (await harness.entry(id))!.attempts;

  describe('what is written', () => {
    it('picks up raw SQL of another client while it runs', async () => {
      const relay = harness.newRelay();
      relay.start();
      try {
        await harness.database.query(
          `INSERT INTO projects (id, name, description) SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n FROM generate_series(1, 100) n`,
        );
        await waitFor(async () => (await harness.store.count(harness.generation.collection)) === 100, { what: '100 points' });
        await harness.database.query(`UPDATE projects SET description = 'changed' WHERE id = $1`, [idOf(7)]);
        await waitFor(async () => (await harness.indexedText(idOf(7), ['changed'])) === 'changed', { what: 'the changed text' });
        await harness.database.query('TRUNCATE projects');
        await waitFor(async () => (await harness.store.count(harness.generation.collection)) === 0, { what: 'no point' });
      } finally {
        await relay.stop();
      }
    });

    it('embeds nothing and writes nothing when neither text nor payload changes', async () => {
      const relay = harness.newRelay();
      await harness.put(idOf(1), 'text', 3);
      await harness.drain(relay);
      const before = await harness.point(idOf(1));
      harness.embedder.resetCalls();
      await harness.database.query(`UPDATE projects SET name = 'another name'`);
      await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 1, skipped: 1, synced: 0, embedded: 0, cacheHits: 0 });
      expect(harness.embedder.calls.documents).toBe(0);
      await expect(harness.point(idOf(1))).resolves.toEqual(before);
      // The entry says which rev the point carries, not the latest version.
      const entry = (await harness.entry(idOf(1)))!;
      expect(entry).toMatchObject({ state: 'synced', in_doubt: false, attempts: 0, indexed_version: String(before!.payload.rev) });
    });

    it('writes the whole point with the cached vector when only the payload changes', async () => {
      const relay = harness.newRelay();
      await harness.put(idOf(1), 'text', 3);
      await harness.drain(relay);
      const [before] = await harness.store.retrieve(harness.generation.collection, [idOf(1)], { hasVectors: true });
      harness.embedder.resetCalls();
      await harness.put(idOf(1), 'text', 4);
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, embedded: 0, cacheHits: 1 });
      expect(harness.embedder.calls.documents).toBe(0);
      const [after] = await harness.store.retrieve(harness.generation.collection, [idOf(1)], { hasVectors: true });
      expect(after!.vector).toEqual(before!.vector);
      expect(after!.payload).toMatchObject({
        complexity: 4,
        text_hash: before!.payload.text_hash,
        bucket: '01',
        model_rev: harness.generation.modelRev,
      });
      expect(after!.payload.payload_hash).not.toBe(before!.payload.payload_hash);
      expect(after!.payload.rev).toBeGreaterThan(before!.payload.rev);
    });

    it('embeds equal texts once, in one batch and for ever', async () => {
      const relay = harness.newRelay();
      for (let n = 1; n <= 5; n++) await harness.put(idOf(n), 'the same');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 5, embedded: 1 });
      await harness.put(idOf(6), 'the same');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, embedded: 0 });
    });

    it('writes a point again after A was deleted and came back, although the hashes are the same', async () => {
      const relay = harness.newRelay();
      await harness.put(idOf(1), 'A');
      await harness.drain(relay);
      await harness.remove(idOf(1));
      await harness.drain(relay);
      await harness.put(idOf(1), 'A');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, skipped: 0, embedded: 0 });
      await expect(harness.indexedText(idOf(1), ['A'])).resolves.toBe('A');
    });

    it('embeds again what is damaged in the cache, and heals it', async () => {
      const relay = harness.newRelay();
      await harness.put(idOf(1), 'text');
      await harness.drain(relay);
      await harness.database.query(`UPDATE embedding_cache SET vector = substring(vector FROM 1 FOR 8)`);
      await harness.put(idOf(2), 'text');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, embedded: 1 });
      await harness.put(idOf(3), 'text');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, embedded: 0, cacheHits: 1 });
    });

    it('takes new work before retries', async () => {
      harness.embedder.failWhen((text) => (text === 'poison' ? new Error('no') : null));
      const relay = harness.newRelay({ batchSize: 1 });
      await harness.put(idOf(1), 'poison');
      await relay.runOnce();
      await harness.put(idOf(2), 'new');
      await harness.passTime();
      await relay.runOnce();
      expect(await harness.entry(idOf(2))).toMatchObject({ state: 'synced' });
    });

    it('needs at most 8 statements for a batch, however many rows it has', async () => {
      for (let n = 1; n <= 64; n++) await harness.put(idOf(n), `text ${n}`);
      const counted = countStatements(harness.database.relayUnitOfWork);
      const relay = harness.newRelay({}, { unitOfWork: counted.unitOfWork });
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 64 });
      expect(counted.statements()).toBeLessThanOrEqual(8);
    });

    it('counts the lag of what it has recorded', async () => {
      const relay = harness.newRelay();
      await harness.put(idOf(1), 'text');
      await harness.drain(relay);
      expect(relay.counters.lag.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
      expect(relay.counters.lag.sumMs).toBeGreaterThan(0);
      expect(relay.counters).toMatchObject({ passes: 1, claimed: 1, synced: 1, embedded: 1, failed: 0 });
    });
  });

  describe('what fails', () => {
    it('isolates poison texts by halves, and everything else goes through at once', async () => {
      harness.embedder.failWhen((text) => (text.startsWith('poison') ? new Error('cannot be embedded') : null));
      for (let n = 1; n <= 32; n++) await harness.put(idOf(n), n === 5 || n === 20 ? `poison ${n}` : `text ${n}`);
      const relay = harness.newRelay({ maxAttempts: 3 });
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 30, failed: 2, dead: 0 });
      expect(await harness.entry(idOf(5))).toMatchObject({
        state: 'pending',
        attempts: 1,
        in_doubt: false,
        lease_token: null,
        last_error: { message: 'cannot be embedded' },
      });
    });

    it('lets an entry die with its reason after the maximum, and a change revives it', async () => {
      harness.embedder.failWhen((text) => (text === 'poison' ? new Error('cannot be embedded') : null));
      await harness.put(idOf(1), 'poison');
      const relay = harness.newRelay({ maxAttempts: 3 });
      for (let attempt = 1; attempt <= 2; attempt++) {
        await relay.runOnce();
        expect(await harness.entry(idOf(1))).toMatchObject({ state: 'pending', attempts: attempt });
        await harness.passTime();
      }
      await expect(relay.runOnce()).resolves.toMatchObject({ dead: 1 });
      expect(await harness.entry(idOf(1))).toMatchObject({
        state: 'dead',
        last_error: { code: 'sync.unexpected', message: 'cannot be embedded' },
      });
      await harness.passTime();
      await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 0 });
      await harness.put(idOf(1), 'fine');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1 });
      expect(await harness.entry(idOf(1))).toMatchObject({ state: 'synced', attempts: 0, last_error: null });
    });

    it('isolates a point that the store refuses', async () => {
      for (let n = 1; n <= 8; n++) await harness.put(idOf(n), `text ${n}`);
      harness.store.failWrites(({ ids }) => (ids.includes(idOf(3)) ? new VectorStoreError('invalid-point', 'refused') : null));
      await expect(harness.newRelay({ maxAttempts: 1 }).runOnce()).resolves.toMatchObject({ synced: 7, dead: 1 });
      expect(await harness.entry(idOf(3))).toMatchObject({
        state: 'dead',
        in_doubt: true,
        last_error: { code: 'vector-store.invalid-point' },
      });
    });

    it('isolates a row that cannot be loaded', async () => {
      for (let n = 1; n <= 8; n++) await harness.put(idOf(n), `text ${n}`);
      const load = harness.source.load.bind(harness.source);
      harness.source.load = async (ids, session) => {
        if (ids.includes(idOf(6))) throw new Error('cannot be rendered');
        return load(ids, session);
      };
      try {
        await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ synced: 7, failed: 1 });
      } finally {
        harness.source.load = load;
      }
      expect(await harness.entry(idOf(6))).toMatchObject({
        state: 'pending',
        attempts: 1,
        in_doubt: false,
        last_error: { message: 'cannot be rendered' },
      });
    });

    it.each([
      ['a vector of another dimension', (vector: Float32Array) => vector.subarray(1)],
      ['a zero vector', (vector: Float32Array) => vector.map(() => 0)],
      ['NaN', (vector: Float32Array) => vector.map(() => Number.NaN)],
    ])('never sends %s', async (_name, spoil) => {
      await harness.put(idOf(1), 'text');
      const embedDocuments = harness.embedder.embedDocuments.bind(harness.embedder);
      harness.embedder.embedDocuments = async (...args) =>
        (await embedDocuments(...args)).map((embedding) => ({ ...embedding, vector: spoil(embedding.vector) }));
      try {
        await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ failed: 1, synced: 0 });
      } finally {
        harness.embedder.embedDocuments = embedDocuments;
      }
      await expect(harness.point(idOf(1))).resolves.toBeUndefined();
      await expect(harness.database.query('SELECT 1 FROM embedding_cache')).resolves.toMatchObject({ rowCount: 0 });
    });

    it('never lets a delete die', async () => {
      const relay = harness.newRelay({ maxAttempts: 1 });
      await harness.put(idOf(1), 'A');
      await harness.drain(relay);
      await harness.remove(idOf(1));
      harness.store.failWrites(() => new VectorStoreError('rejected', 'no'));
      for (let n = 0; n < 3; n++) {
        await expect(relay.runOnce()).resolves.toMatchObject({ failed: 1, dead: 0 });
        await harness.passTime();
      }
      expect(await harness.entry(idOf(1))).toMatchObject({ state: 'pending', attempts: 3 });
      harness.store.failWrites(null);
      await relay.runOnce();
      expect(await harness.entry(idOf(1))).toMatchObject({ state: 'tombstone', attempts: 0 });
    });

    it('does not skip after a send of the same lease whose fate is unknown', async () => {
      const relay = harness.newRelay();
      for (let n = 1; n <= 2; n++) await harness.put(idOf(n), 'A', n);
      await harness.drain(relay);
      for (let n = 1; n <= 2; n++) await harness.put(idOf(n), 'B', n);
      // The first batch lands, but is answered with a refusal; both rows go back to A before it is split and read again.
      harness.store.holdWrites();
      const running = relay.runOnce();
      const write = await harness.store.nextWrite();
      await write.land();
      for (let n = 1; n <= 2; n++) await harness.put(idOf(n), 'A', n);
      harness.store.passWrites();
      write.fail(new VectorStoreError('rejected', 'the reply says no'));
      await expect(running).resolves.toMatchObject({ skipped: 0, synced: 2 });
      await expect(harness.indexedText(idOf(1), ['A', 'B'])).resolves.toBe('A');
      await expect(harness.indexedText(idOf(2), ['A', 'B'])).resolves.toBe('A');
    });
  });

  describe('providers that are away', () => {
    it('burns no attempt when the store asks for a pause, and does not claim until it is over', async () => {
      for (let n = 1; n <= 3; n++) await harness.put(idOf(n), `text ${n}`);
      harness.store.failWrites(() => new VectorStoreError('throttled', 'slow down', { retryAfterMs: 60_000 }));
      const relay = harness.newRelay({ maxAttempts: 1 });
      await expect(relay.runOnce()).resolves.toMatchObject({ paused: 3, failed: 0, dead: 0 });
      const entry = (await harness.entry(idOf(1)))!;
      expect(entry).toMatchObject({ state: 'pending', attempts: 0, lease_token: null, last_error: { code: 'vector-store.throttled' } });
      expect(entry.due_in_ms).toBeGreaterThan(50_000);
      harness.store.failWrites(null);
      await harness.passTime();
      relay.start();
      relay.wake();
      await expect(
        Promise.race([waitFor(() => relay.counters.synced > 0, { what: 'a write', timeoutMs: 300 }), relay.stop()]),
      ).resolves.toBeUndefined();
      expect(relay.counters.synced).toBe(0);
      await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ synced: 3 });
    });

    it('burns no attempt while the store is away, and catches up by itself', async () => {
      const relay = harness.newRelay({ maxAttempts: 1 });
      await harness.put(idOf(1), 'text');
      harness.store.goAway();
      relay.start();
      try {
        await waitFor(() => relay.counters.paused >= 3, { what: 'three pauses' });
        expect(await attemptsOf(idOf(1))).toBeLessThanOrEqual(1);
        harness.store.recover();
        await waitFor(async () => (await harness.entry(idOf(1)))!.state === 'synced', { what: 'the entry to be synced' });
      } finally {
        await relay.stop();
      }
      expect(relay.counters.dead).toBe(0);
    });

    it('counts writes that time out while the store lives, but lets nothing die that the store may take later', async () => {
      const relay = harness.newRelay({ maxAttempts: 1 });
      await harness.put(idOf(1), 'text');
      harness.store.failWrites(() => new VectorStoreError('unavailable', 'timed out'));
      await expect(relay.runOnce()).resolves.toMatchObject({ failed: 1, dead: 0 });
      await harness.passTime();
      await expect(relay.runOnce()).resolves.toMatchObject({ failed: 1, dead: 0 });
      // Others are written: now it is the entry's own fault.
      harness.store.failWrites(({ ids }) => (ids.includes(idOf(1)) ? new VectorStoreError('unavailable', 'timed out') : null));
      await harness.put(idOf(2), 'other');
      await relay.runOnce();
      await harness.passTime();
      await expect(relay.runOnce()).resolves.toMatchObject({ dead: 1 });
    });

    it('sends what needs no embedding while the embedder is away, and burns no attempt', async () => {
      const relay = harness.newRelay({ maxAttempts: 1 });
      await harness.put(idOf(1), 'cached');
      await harness.put(idOf(2), 'gone soon');
      await harness.drain(relay);
      await harness.put(idOf(1), 'cached', 5);
      await harness.remove(idOf(2));
      await harness.put(idOf(3), 'not embedded yet');
      harness.embedder.failAlways();
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, deleted: 1, paused: 1, failed: 0 });
      expect(await harness.entry(idOf(3))).toMatchObject({
        state: 'pending',
        attempts: 0,
        in_doubt: false,
        last_error: { code: 'search.embedder-unavailable' },
      });
      // While it is paused it is not even asked.
      harness.embedder.resetCalls();
      await harness.passTime();
      await expect(relay.runOnce()).resolves.toMatchObject({ paused: 1 });
      expect(harness.embedder.calls.documentJobs).toBe(0);
      harness.embedder.recover();
      await waitFor(
        async () => {
          await harness.passTime();
          return (await relay.runOnce()).synced === 1;
        },
        { what: 'the pause to end' },
      );
    });

    it('does not churn through a backlog while the embedder is away', async () => {
      await harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, 400) n`);
      harness.embedder.failAlways();
      const relay = harness.newRelay({ batchSize: 16 });
      const startedMs = performance.now();
      relay.start();
      try {
        await waitFor(() => relay.counters.passes >= 6, { what: 'six passes' });
      } finally {
        await relay.stop();
      }
      // Two at a time, and a second between: without the pause it is a few hundredths.
      expect(performance.now() - startedMs).toBeGreaterThan(1_500);
      expect(relay.counters).toMatchObject({ failed: 0, dead: 0 });
    });

    it('reports a collection that is gone, and burns no attempt', async () => {
      const relay = harness.newRelay();
      const missing: number[] = [];
      relay.onCollectionMissing(({ id }) => missing.push(id));
      await harness.put(idOf(1), 'text');
      harness.store.failWrites(() => new VectorStoreError('collection-missing', 'gone'));
      await expect(relay.runOnce()).resolves.toMatchObject({ paused: 1 });
      expect(missing).toEqual([harness.generation.id]);
      expect(await attemptsOf(idOf(1))).toBe(0);
    });

    it('gives attempts back when the database fails it', async () => {
      await harness.put(idOf(1), 'text');
      harness.source.beforeLoad = () => Promise.reject(new DomainError('database.busy'));
      try {
        await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ paused: 1, failed: 0 });
      } finally {
        harness.source.beforeLoad = () => Promise.resolve();
      }
      expect(await harness.entry(idOf(1))).toMatchObject({ attempts: 0, in_doubt: false, lease_token: null });
    });
  });
});

/** Counts round trips: BEGIN and COMMIT are statements too. */
function countStatements(inner: RelayUnitOfWork): { unitOfWork: RelayUnitOfWork; statements: () => number } {
  let statements = 0;
  const unitOfWork: RelayUnitOfWork = {
    query: (sql, parameters) => {
      statements++;
      return inner.query(sql, parameters);
    },
    run: (work, options) => {
      statements += 2;
      return inner.run(
        (session) =>
          work({
            query: (sql, parameters) => {
              statements++;
              return session.query(sql, parameters);
            },
          }),
        options,
      );
    },
  };
  return { unitOfWork, statements: () => statements };
}

import { DomainError } from '#kernel';
import { waitFor } from '#testing';
import { VectorStoreError } from '#vector-store';
import { Logger } from '@nestjs/common';
import { addSecondGeneration } from './second-generation.js';
import { idOf, SyncHarness } from './sync-harness.js';
import { watchStore } from './watched-store.js';

const BATCH = 64;

describe('IndexRelay: outages and large rows', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());
  afterEach(() => jest.restoreAllMocks());

  const insert = (count: number) =>
    harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, $1::int) n`, [count]);
  const pendingCount = async () =>
    (await harness.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM index_ledger WHERE state = 'pending'`)).rows[0]!
      .count;

  // T27, without the ten minutes: what follows an outage depends on nothing that grows with it but the pause, which has an upper limit.
  it('sends one probe at a time while the store is away, and comes back slowly: 3 relays, 3,000 rows', async () => {
    const count = 3_000;
    await insert(count);
    const parts = [1, 2, 3].map(() => {
      const watched = watchStore(harness.store);
      return { ...watched, relay: harness.newRelay({ batchSize: BATCH }, { store: watched.store, random: Math.random }) };
    });
    harness.store.goAway();
    try {
      for (const { relay } of parts) relay.start();
      await waitFor(() => parts.every(({ relay }) => relay.counters.passes >= 8), { what: 'six probes of each relay', timeoutMs: 30_000 });
      for (const { calls } of parts) {
        // At first two batches may be under way, each with the question whether the store lives.
        const first = calls.findIndex(({ size }) => size === 1);
        expect(first).toBeLessThanOrEqual(4);
        const probes = calls.slice(first);
        expect(probes.map(({ kind, size }) => `${kind} ${size}`)).toEqual(probes.map(() => 'upsert 1'));
        const gaps = probes.slice(1).map(({ startedAtMs }, n) => startedAtMs - probes[n]!.endedAtMs);
        // 100 ms is the shortest pause there is; timers may be a millisecond early.
        expect(Math.min(...gaps)).toBeGreaterThan(95);
      }
      expect(parts.map(({ relay }) => relay.counters.failed)).toEqual([0, 0, 0]);
      harness.store.recover();
      await waitFor(async () => (await pendingCount()) === 0, { what: 'all rows to be written', timeoutMs: 60_000 });
    } finally {
      await Promise.all(parts.map(({ relay }) => relay.stop()));
    }
    const after = parts.map(({ calls }) => calls.filter(({ hasFailed }) => !hasFailed));
    const ramp = [1, 2, 4, 8, 16, 32, 64];
    for (const calls of after) {
      // A relay whose pause was the longest may find little left; what it claims never exceeds the ramp.
      calls.slice(0, ramp.length).forEach(({ size }, n) => expect(size).toBeLessThanOrEqual(ramp[n]!));
      // One at a time until the ramp is over.
      for (let n = 1; n < Math.min(ramp.length, calls.length); n++)
        expect(calls[n]!.startedAtMs).toBeGreaterThanOrEqual(calls[n - 1]!.endedAtMs);
    }
    const [busiest] = after.toSorted((a, b) => b.length - a.length);
    expect(busiest!.slice(0, ramp.length).map(({ size }) => size)).toEqual(ramp);
    const requests = after.reduce((sum, { length }) => sum + length, 0);
    expect(requests).toBeLessThanOrEqual(1.5 * Math.ceil(count / BATCH));
    await expect(harness.store.count(harness.generation.collection)).resolves.toBe(count);
  });

  it('does not send after a pause what was claimed before it', async () => {
    await insert(2);
    const watched = watchStore(harness.store);
    const relay = harness.newRelay({ batchSize: 1 }, { store: watched.store });
    const [first] = await relay.claim();
    const [second] = await relay.claim();
    harness.store.failWrites(() => new VectorStoreError('throttled', 'slow down', { retryAfterMs: 100 }));
    await expect(first!.run()).resolves.toMatchObject({ paused: 1 });
    harness.store.failWrites(null);
    await waitFor(() => relay.status().store.phase === 'probing', { what: 'the pause to end' });
    await expect(second!.run()).resolves.toMatchObject({ synced: 0, paused: 1 });
    expect(watched.calls).toHaveLength(1);
    expect(relay.status().store.batchLimit).toBe(1);
    await harness.passTime();
    await harness.drain(relay);
    expect(relay.status().store).toMatchObject({ phase: 'open', batchLimit: 1 });
    await expect(harness.store.count(harness.generation.collection)).resolves.toBe(2);
  });

  it('goes on with deletes while the store is full, and with all else when it has room', async () => {
    const relay = harness.newRelay({ maxAttempts: 1 });
    for (const n of [1, 2]) await harness.put(idOf(n), `text ${n}`);
    await harness.drain(relay);
    const full = new VectorStoreError('throttled', 'Qdrant answered 507', { isStorageFull: true });
    harness.store.failWrites(({ kind }) => (kind === 'upsert' ? full : null));
    await harness.remove(idOf(1));
    await harness.put(idOf(3), 'text 3');
    await expect(relay.runOnce()).resolves.toMatchObject({ deleted: 1, paused: 1, failed: 0 });
    expect(await harness.entry(idOf(3))).toMatchObject({ state: 'pending', attempts: 0 });
    expect(relay.status().store).toMatchObject({ phase: 'open', pausedForMs: 0 });
    expect(relay.status().store.upsertsPausedForMs).toBeGreaterThan(0);
    // While it is full, upserts are not even sent.
    let upserts = 0;
    harness.store.failWrites(({ kind }) => {
      if (kind === 'upsert') upserts++;
      return null;
    });
    await harness.passTime();
    await harness.remove(idOf(2));
    await harness.database.query(`UPDATE index_ledger SET next_attempt_at = now() + interval '1 hour' WHERE state = 'tombstone'`);
    await expect(relay.runOnce()).resolves.toMatchObject({ deleted: 1, paused: 1 });
    expect(upserts).toBe(0);
    await waitFor(() => relay.status().store.upsertsPausedForMs === 0, { what: 'the pause to end' });
    await harness.passTime();
    await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1 });
  });

  it('pauses only the generation whose embedder throttles', async () => {
    const second = await addSecondGeneration(harness);
    const relay = harness.newRelay({ maxAttempts: 1 });
    second.embedder.failAlways(
      new DomainError('search.embedder-unavailable', { detail: 'too many requests', headers: { 'Retry-After': '60' } }),
    );
    try {
      await harness.put(idOf(1), 'text');
      await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1, paused: 1, failed: 0 });
      // It has said what it wants: it is not asked whether it lives.
      expect(second.embedder.calls.documentJobs).toBe(1);
      expect(await harness.entry(idOf(1), second.generation.id)).toMatchObject({ state: 'pending', attempts: 0 });
      const [paused, ...others] = relay.status().embedders;
      expect(paused).toMatchObject({ modelRev: second.generation.modelRev });
      expect(paused!.pausedForMs).toBeGreaterThan(50_000);
      expect(others).toEqual([]);
      relay.start();
      for (let n = 2; n <= 5; n++) {
        await harness.put(idOf(n), `text ${n}`);
        await waitFor(async () => (await harness.entry(idOf(n)))!.state === 'synced', { what: `row ${n} to be written`, timeoutMs: 3_000 });
      }
      expect(second.embedder.calls.documentJobs).toBe(1);
    } finally {
      await relay.stop();
      await second.remove();
    }
  });

  it('embeds and sends large rows in parts', async () => {
    for (let n = 1; n <= 9; n++) await harness.put(idOf(n), `${n} `.repeat(2_000));
    await harness.put(idOf(10), 'x'.repeat(30_000));
    const watched = watchStore(harness.store);
    const relay = harness.newRelay({ batchBytes: 10_000 }, { store: watched.store });
    await expect(relay.runOnce()).resolves.toMatchObject({ claimed: 10, synced: 10, embedded: 10 });
    const sizes = watched.calls.map(({ size }) => size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10);
    expect(Math.max(...sizes)).toBe(2);
    expect(harness.embedder.calls.documentJobs).toBe(sizes.length);
  });

  it('says the same thing once a minute', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await insert(5);
    harness.store.goAway();
    const relay = harness.newRelay({ batchSize: 1, maxAttempts: 1 });
    relay.start();
    try {
      await waitFor(() => relay.counters.paused >= 4, { what: 'four pauses' });
      expect(warnings.mock.calls.flat().filter((line) => /vector store is paused/.test(String(line)))).toHaveLength(1);
      harness.store.recover();
      await waitFor(async () => (await pendingCount()) === 0, { what: 'all rows to be written' });
      harness.embedder.failAlways(new Error('no'));
      for (let n = 1; n <= 5; n++) await harness.put(idOf(n), `not in the cache ${n}`);
      await waitFor(() => relay.counters.dead === 5, { what: 'five dead entries' });
      expect(errors.mock.calls).toHaveLength(1);
    } finally {
      await relay.stop();
    }
  });
});

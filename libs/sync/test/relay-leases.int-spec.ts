import { FixedClock, waitFor } from '#testing';
import { idOf, SyncHarness } from './sync-harness.js';

describe('IndexRelay: leases and shutdown', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());

  it('renews its leases while it embeds, so that nobody else takes the entries', async () => {
    const relay = harness.newRelay({ leaseMs: 300, writeTimeoutMs: 100 });
    await harness.put(idOf(1), 'text');
    const release = harness.holdEmbedder();
    const [pass] = await relay.claim();
    const running = pass!.run();
    // Five thirds of a lease: without renewal it would be long over.
    await waitFor(() => pass!.summary.leasesRenewed >= 5, { what: 'five renewals' });
    await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ claimed: 0 });
    release();
    await expect(running).resolves.toMatchObject({ synced: 1, leasesLost: 0 });
  });

  it('aborts the embedding and sends nothing when the lease is lost', async () => {
    const relay = harness.newRelay({ leaseMs: 300, writeTimeoutMs: 100 });
    await harness.put(idOf(1), 'text');
    const release = harness.holdEmbedder();
    const [pass] = await relay.claim();
    const running = pass!.run();
    await harness.expireLeases();
    await expect(running).resolves.toMatchObject({ synced: 0, failed: 0, leasesLost: 1 });
    release();
    await expect(harness.point(idOf(1))).resolves.toBeUndefined();
    // Nothing is recorded: the entry belongs to whoever claims it next.
    expect(await harness.entry(idOf(1))).toMatchObject({ state: 'pending', last_error: null });
  });

  it('aborts a write that is under way when the lease is lost', async () => {
    const relay = harness.newRelay({ leaseMs: 300, writeTimeoutMs: 100 });
    await harness.put(idOf(1), 'text');
    harness.store.holdWrites();
    const [pass] = await relay.claim();
    const running = pass!.run();
    await harness.store.nextWrite();
    await harness.expireLeases();
    await running;
    expect(await harness.entry(idOf(1))).toMatchObject({ state: 'pending', in_doubt: true });
  });

  it('sends nothing when the lease does not leave the time-out of a write', async () => {
    const clock = new FixedClock();
    const relay = harness.newRelay({ leaseMs: 60_000, writeTimeoutMs: 20_000 }, { clock });
    await harness.put(idOf(1), 'text');
    const [pass] = await relay.claim();
    clock.advance(40_001);
    await harness.expireLeases();
    await expect(pass!.run()).resolves.toMatchObject({ synced: 0, leasesLost: 1 });
    await expect(harness.point(idOf(1))).resolves.toBeUndefined();
  });

  it('renews before the send when the lease does not leave the time-out of a write', async () => {
    const clock = new FixedClock();
    const relay = harness.newRelay({ leaseMs: 60_000, writeTimeoutMs: 20_000 }, { clock });
    await harness.put(idOf(1), 'text');
    const [pass] = await relay.claim();
    clock.advance(40_001);
    await expect(pass!.run()).resolves.toMatchObject({ synced: 1 });
    expect(pass!.lease.remainingMs).toBe(60_000);
  });

  it('gives up a write that the store does not answer within its time-out', async () => {
    const relay = harness.newRelay({ leaseMs: 60_000, writeTimeoutMs: 50 });
    await harness.put(idOf(1), 'text');
    harness.store.holdWrites();
    await expect(relay.runOnce()).resolves.toMatchObject({ synced: 0, failed: 1 });
    expect(await harness.entry(idOf(1))).toMatchObject({ in_doubt: true, last_error: { code: 'vector-store.unavailable' } });
  });

  it('finishes what is in flight before it stops', async () => {
    const relay = harness.newRelay();
    await harness.put(idOf(1), 'text');
    harness.store.holdWrites();
    relay.start();
    const write = await harness.store.nextWrite();
    const stopping = relay.stop();
    await harness.put(idOf(2), 'too late');
    await write.complete();
    await stopping;
    expect(await harness.entry(idOf(1))).toMatchObject({ state: 'synced' });
    expect(await harness.entry(idOf(2))).toMatchObject({ state: 'pending', lease_token: null, attempts: 0 });
  });

  it('releases what it cannot finish within the grace: at once due, no attempt burned, in doubt only if something was sent', async () => {
    const relay = harness.newRelay();
    const release = harness.holdEmbedder();
    await harness.put(idOf(1), 'being embedded');
    relay.start();
    await waitFor(() => harness.embedder.calls.documentJobs === 1, { what: 'the embedder to be asked' });
    await relay.stop(20);
    release();
    const embedding = (await harness.entry(idOf(1)))!;
    expect(embedding).toMatchObject({ state: 'pending', lease_token: null, attempts: 0, in_doubt: false });
    expect(embedding.due_in_ms).toBeLessThanOrEqual(0);

    harness.store.holdWrites();
    const other = harness.newRelay();
    other.start();
    const write = await harness.store.nextWrite();
    await other.stop(20);
    expect(await harness.entry(idOf(1))).toMatchObject({ state: 'pending', lease_token: null, attempts: 0, in_doubt: true });
    await write.land();
    harness.store.passWrites();
    await expect(harness.newRelay().runOnce()).resolves.toMatchObject({ synced: 1, skipped: 0 });
  });

  it('stops idempotently, also when it never ran', async () => {
    const relay = harness.newRelay();
    await relay.stop();
    relay.start();
    await Promise.all([relay.stop(), relay.stop()]);
    expect(relay.isRunning).toBe(false);
  });

  it('works beside other relays without taking a row twice', async () => {
    await harness.database.query(
      `INSERT INTO projects (id, name, description) SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n FROM generate_series(1, 500) n`,
    );
    const relays = [1, 2, 3].map(() => harness.newRelay({ batchSize: 16 }));
    await Promise.all(relays.map((relay) => harness.drain(relay)));
    const sum = (key: 'claimed' | 'synced' | 'superseded') => relays.reduce((total, { counters }) => total + counters[key], 0);
    await expect(harness.store.count(harness.generation.collection)).resolves.toBe(500);
    expect(sum('claimed')).toBe(500);
    expect(sum('synced')).toBe(500);
    expect(sum('superseded')).toBe(0);
  });

  it('acknowledges what a short transaction had locked, without waiting for the lease', async () => {
    await harness.put(idOf(1), 'A');
    const relay = harness.newRelay();
    harness.store.holdWrites();
    const running = relay.runOnce();
    const write = await harness.store.nextWrite();
    const writer = harness.database.dataSource.createQueryRunner();
    await writer.query('BEGIN');
    await writer.query(`UPDATE projects SET description = 'B'`);
    await write.complete();
    await writer.query('COMMIT');
    await writer.release();
    await expect(running).resolves.toMatchObject({ superseded: 1, leasesLost: 0 });
    harness.store.passWrites();
    await expect(relay.runOnce()).resolves.toMatchObject({ synced: 1 });
    await expect(harness.indexedText(idOf(1), ['A', 'B'])).resolves.toBe('B');
  });
});

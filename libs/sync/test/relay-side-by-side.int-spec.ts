import { armCrashPoints, type CrashPoint } from '#kernel';
import { FakeEmbedder, FakeEmbedderRegistry, FixedClock, SeededRandom, waitFor } from '#testing';
import type { IndexRelay } from '../src/index.js';
import { idOf, SyncHarness } from './sync-harness.js';
import { watchStore } from './watched-store.js';

describe('IndexRelay: several relays', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());
  afterEach(() => armCrashPoints(null));

  /** Every entry that a relay has ever claimed has come to one of these ends. */
  const endsOf = ({ counters: c }: IndexRelay): number =>
    c.synced + c.skipped + c.deleted + c.purged + c.superseded + c.released + c.leasesLost + c.failed + c.paused;
  const unsettled = async () =>
    (await harness.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM index_ledger WHERE state IN ('pending', 'dead')`))
      .rows[0]!.count;

  it.each([1, 2, 3])(
    'three relays under concurrent writers, seed %i: every entry ends synced, none is written by two at once',
    async (seed) => {
      const keys = 60;
      const writes = 150;
      const watched = [1, 2, 3].map(() => watchStore(harness.store));
      const relays = watched.map(({ store }, n) => harness.newRelay({ batchSize: 4 + 8 * n }, { store, random: Math.random }));
      for (const relay of relays) relay.start();
      try {
        const rows = new Map<string, { text: string; complexity: number }>();
        const write = async (writer: number): Promise<void> => {
          const random = new SeededRandom(100 * seed + writer);
          for (let n = 0; n < writes; n++) {
            // Each writer has keys of its own, so that the test knows what the last write was; a relay's batch holds keys of all.
            const id = idOf(1 + writer + 4 * Math.floor(random.next() * (keys / 4)));
            if (rows.has(id) && random.chance(0.25)) {
              rows.delete(id);
              await harness.remove(id);
            } else {
              const row = { text: `text ${random.pick([1, 2, 3])}`, complexity: random.pick([1, 2]) };
              rows.set(id, row);
              await harness.put(id, row.text, row.complexity);
            }
            for (const relay of relays) relay.wake();
          }
        };
        await Promise.all([0, 1, 2, 3].map(write));
        await waitFor(async () => (await unsettled()) === 0, { what: 'every entry to be settled', timeoutMs: 30_000 });
        for (let n = 1; n <= keys; n++) {
          const row = rows.get(idOf(n));
          const texts = ['text 1', 'text 2', 'text 3'];
          await expect(harness.indexedText(idOf(n), texts)).resolves.toBe(row?.text ?? null);
          const point = await harness.point(idOf(n));
          if (row !== undefined) expect(point!.payload['complexity']).toBe(row.complexity);
        }
      } finally {
        await Promise.all(relays.map((relay) => relay.stop()));
      }
      for (const relay of relays) {
        expect(endsOf(relay)).toBe(relay.counters.claimed);
        expect(relay.counters).toMatchObject({ dead: 0, failed: 0, leasesExpired: 0, leasesLost: 0 });
      }
      expect(relays.filter(({ counters }) => counters.synced > 0).length).toBeGreaterThan(1);
      // A lease is held by one relay at a time, so no two writes of one id overlap.
      const all = watched.flatMap(({ calls }) => calls).filter(({ kind }) => kind !== 'ping');
      const overlaps = all.filter((a, n) =>
        all.some((b, m) => m > n && a.startedAtMs < b.endedAtMs && b.startedAtMs < a.endedAtMs && a.ids.some((id) => b.ids.includes(id))),
      );
      expect(overlaps).toEqual([]);
    },
  );

  // T5 in one process: the first relay stalls with its lease, a second one takes over, the first one goes on.
  describe.each(['after its read', 'with its write on the way'] as const)('a zombie that stalls %s', (stage) => {
    describe.each(['knows how long it was away', 'was frozen with its clock'] as const)('and %s', (clockIs) => {
      it.each([
        ['update', async () => harness.put(idOf(1), 'B')],
        ['delete', async () => harness.remove(idOf(1))],
        [
          'delete and re-create',
          async () => {
            await harness.remove(idOf(1));
            await harness.drain(harness.newRelay());
            await harness.put(idOf(1), 'C');
          },
        ],
      ] as const)('does no harm to an %s', async (_what, change) => {
        await harness.put(idOf(1), 'A');
        await harness.drain(harness.newRelay());
        await harness.put(idOf(1), 'Z');
        const clock = new FixedClock();
        const embedder = new FakeEmbedder();
        const zombie = harness.newRelay({}, { clock, embedders: new FakeEmbedderRegistry(embedder) });
        const release = embedder.hold();
        if (stage === 'with its write on the way') release();
        harness.store.holdWrites();
        const stalled = zombie.runOnce();
        const write = stage === 'after its read' ? null : await harness.store.nextWrite();
        await waitFor(() => embedder.calls.documentJobs === 1, { what: 'the zombie to read its row' });

        harness.store.passWrites();
        await harness.expireLeases();
        await change();
        const other = harness.newRelay();
        await harness.drain(other);
        expect(other.counters.leasesExpired).toBeLessThanOrEqual(1);

        if (clockIs === 'knows how long it was away') clock.advance(120_000);
        release();
        await write?.complete();
        await stalled;
        expect(zombie.counters).toMatchObject({ synced: 0, skipped: 0, deleted: 0, failed: 0 });
        expect(zombie.counters.leasesLost).toBe(1);
        // What its write may have left behind is found when the grace of the tombstone is over.
        await harness.passTime();
        await harness.drain(harness.newRelay());
        const { rows } = await harness.database.query<{ description: string }>('SELECT description FROM projects WHERE id = $1', [idOf(1)]);
        await expect(harness.indexedText(idOf(1), ['A', 'B', 'C', 'Z'])).resolves.toBe(rows[0]?.description ?? null);
        const entry = await harness.entry(idOf(1));
        if (rows.length > 0) expect(entry).toMatchObject({ state: 'synced', in_doubt: false, lease_token: null });
      });
    });
  });

  it('passes a crash point at every step between the claim and the acknowledgement', async () => {
    const seen: CrashPoint[] = [];
    armCrashPoints((point) => seen.push(point));
    const take = (): CrashPoint[] => seen.splice(0);
    const relay = harness.newRelay();
    await harness.put(idOf(1), 'text');
    await relay.runOnce();
    expect(take()).toEqual([
      'relay.claimed',
      'relay.read',
      'relay.embedded',
      'relay.before-upsert',
      'relay.after-upsert',
      'relay.before-acknowledge',
      'relay.after-acknowledge',
    ]);
    await harness.remove(idOf(1));
    await relay.runOnce();
    expect(take()).toEqual([
      'relay.claimed',
      'relay.read',
      'relay.embedded',
      'relay.before-delete',
      'relay.after-delete',
      'relay.before-acknowledge',
      'relay.after-acknowledge',
    ]);
    await harness.passTime();
    await relay.runOnce();
    expect(take()).toEqual(['relay.claimed', 'relay.embedded', 'relay.before-purge']);
    harness.embedder.failAlways(new Error('no'));
    await harness.put(idOf(2), 'poison');
    await relay.runOnce();
    expect(take()).toEqual(['relay.claimed', 'relay.read', 'relay.embedded', 'relay.failure-recorded']);
  });
});

import { FixedClock } from '#testing';
import { SyncStatistics } from '../src/index.js';
import { idOf, SyncHarness } from './sync-harness.js';

describe('SyncStatistics', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(() => harness.clear());

  const statisticsOf = (relay = harness.newRelay()) => new SyncStatistics(harness.database.unitOfWork, relay, new FixedClock());

  it('says of a generation without entries that all is well', async () => {
    const { generations, readAt } = await statisticsOf().read();
    expect(readAt).toBeInstanceOf(Date);
    expect(generations).toEqual([
      {
        id: harness.generation.id,
        source: 'projects',
        collection: harness.generation.collection,
        state: 'serving',
        pausedAt: null,
        pauseReason: null,
        entries: { pending: 0, synced: 0, dead: 0, tombstone: 0 },
        oldestPendingAgeSeconds: null,
        attempts: new Array(11).fill(0),
        deadByCode: {},
        muted: 0,
        leased: 0,
        inDoubt: 0,
        dueTombstones: 0,
      },
    ]);
  });

  it('counts entries by state, attempts, error code, lease and doubt', async () => {
    const relay = harness.newRelay();
    for (let n = 1; n <= 12; n++) await harness.put(idOf(n), `text ${n}`);
    await harness.drain(relay);
    for (const n of [1, 2, 3]) await harness.remove(idOf(n));
    await harness.drain(relay);
    for (const n of [4, 5, 6, 7]) await harness.put(idOf(n), 'changed');
    await relay.claim(1);
    await harness.database.query(`UPDATE index_ledger SET attempts = 14 WHERE source_id = $1`, [idOf(7)]);
    await harness.database.query(
      `UPDATE index_ledger SET changed_at = now() - interval '90 seconds' WHERE state = 'pending' AND attempts = 1`,
    );
    await harness.database.query(`UPDATE index_ledger SET next_attempt_at = now() WHERE source_id = $1`, [idOf(1)]);
    await harness.database.query(
      `UPDATE index_ledger SET state = 'dead', last_error = jsonb_build_object('code', CASE source_id WHEN $1 THEN 'x.one' ELSE 'x.two' END) WHERE source_id IN ($1, $2, $3)`,
      [idOf(8), idOf(9), idOf(10)],
    );
    await harness.database.query(`UPDATE index_generations SET paused_at = now(), pause_reason = 'restored'`);
    try {
      const [generation] = (await statisticsOf().read()).generations;
      expect(generation).toMatchObject({
        pausedAt: expect.any(Date) as Date,
        pauseReason: 'restored',
        entries: { pending: 4, synced: 2, dead: 3, tombstone: 3 },
        attempts: [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        deadByCode: { 'x.one': 1, 'x.two': 2 },
        muted: 0,
        leased: 1,
        inDoubt: 1,
        dueTombstones: 1,
      });
      expect(generation!.oldestPendingAgeSeconds).toBeGreaterThanOrEqual(90);
      expect(generation!.oldestPendingAgeSeconds).toBeLessThan(120);
    } finally {
      await harness.database.query(`UPDATE index_generations SET paused_at = NULL, pause_reason = NULL`);
    }
  });

  it('shows the relay of this process', async () => {
    const relay = harness.newRelay();
    await harness.put(idOf(1), 'text');
    await harness.drain(relay);
    const { relay: status } = await statisticsOf(relay).read();
    expect(status).toMatchObject({
      isRunning: false,
      counts: { claimed: 1, synced: 1, embedded: 1, leasesExpired: 0, failed: 0 },
      store: { phase: 'open', pausedForMs: 0, batchLimit: 64 },
      embedders: [],
      inFlight: 0,
    });
    expect(status.counts).not.toHaveProperty('lag');
    expect(status.lag.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(status.lag.counts).toHaveLength(status.lag.boundsMs.length + 1);
  });

  it('shares one reading between callers at the same time', async () => {
    const statistics = statisticsOf();
    const [one, two] = await Promise.all([statistics.read(), statistics.read()]);
    expect(two).toBe(one);
    await expect(statistics.read()).resolves.not.toBe(one);
  });
});

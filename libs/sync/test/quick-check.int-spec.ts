import { Logger } from '@nestjs/common';
import type { PointPayload, VectorPoint } from '#vector-store';
import type { QuickCheckResult } from '../src/index.js';
import { CountingSource, describeCounts } from './proof-fixture.js';
import { idOf, SyncHarness } from './sync-harness.js';

/** More than one bucket's worth: ids 1 to 600 put two or three into each of the 256. */
const ROWS = 600;

describe('QuickCheck', () => {
  let harness: SyncHarness;

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    await harness.database.query('DELETE FROM sync_leases');
    await harness.database.query(
      `INSERT INTO projects (id, name, description, complexity)
       SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n, n % 5 + 1 FROM generate_series(1, ${ROWS}) n`,
    );
    await harness.drain(harness.newRelay());
  });

  const collection = () => harness.generation.collection;
  const run = (): Promise<QuickCheckResult> => harness.quickCheck.run(harness.generation);
  const counts = (result: QuickCheckResult) => describeCounts({ report: result } as never);

  async function changed(n: number, payload: Partial<PointPayload> = {}, id = idOf(n)): Promise<VectorPoint> {
    const [point] = await harness.store.retrieve(collection(), [idOf(n)], { hasVectors: true });
    return { id, vector: point!.vector!, payload: { ...point!.payload, bucket: id.slice(-2), ...payload } as PointPayload };
  }

  async function expectHealed(): Promise<void> {
    await harness.drain(harness.newRelay());
    await harness.passTime();
    await harness.drain(harness.newRelay());
    await expect(harness.reconciler.run(harness.generation)).resolves.toMatchObject({ decision: 'clean' });
  }

  it('counts and walks nothing when the counts agree', async () => {
    const counting = new CountingSource(harness.source);
    const result = await counting.during(run);
    expect(result).toMatchObject({
      decision: 'clean',
      rows: ROWS,
      points: ROWS,
      synced: ROWS,
      in_flight: 0,
      dead: 0,
      differing_buckets: [],
      unbucketed_points: 0,
      is_epoch_advanced: true,
    });
    expect(counting.total).toBe(0);
  });

  it('locates one missing point by walking one bucket', async () => {
    await harness.store.losePoints(collection(), [idOf(3)]);
    const counting = new CountingSource(harness.source);
    const result = await counting.during(run);
    expect(result).toMatchObject({
      decision: 'repaired',
      differing_buckets: ['03'],
      repaired: 1,
      differences: { missing: { examples: [idOf(3)] } },
    });
    // Two or three rows of the bucket, and the second look.
    expect(counting.total).toBeLessThan(6);
    await expectHealed();
  });

  it('finds orphans, rows that the ledger does not know, and points in the wrong bucket or in none', async () => {
    const orphan = idOf(0x7001);
    await harness.store.upsert(collection(), [await changed(9, {}, orphan)]);
    await harness.database.query('ALTER TABLE projects DISABLE TRIGGER kindred_capture_insert');
    await harness.database.query(`INSERT INTO projects (id, name, description) VALUES ($1, 'n', 'unheard')`, [idOf(0x7002)]);
    await harness.database.query('ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_insert');
    await harness.store.replacePoints(collection(), [await changed(0x13, { bucket: '14' }), await changed(0x15, { bucket: 'none' })]);
    harness.store.plant(collection(), idOf(0x7003), { note: 'theirs' });
    const result = await run();
    expect(result).toMatchObject({ decision: 'differs', points: ROWS + 2, unbucketed_points: 2, repaired: 4 });
    expect(counts(result)).toEqual({ missing: 1, stale: 2, orphan: 1, foreign: 1, wrong_model: 0, vector: 0 });
    harness.store.uproot(collection(), [idOf(0x7003)]);
    await expectHealed();
    await expect(harness.point(orphan)).resolves.toBeUndefined();
  });

  it('notices a foreign point when nothing else differs', async () => {
    harness.store.plant(collection(), idOf(0x7003), { note: 'theirs' });
    const result = await run();
    expect(result).toMatchObject({ decision: 'differs', unbucketed_points: 1, repaired: 0 });
    expect(result.differing_buckets).toHaveLength(0);
    expect(counts(result)).toMatchObject({ foreign: 1, orphan: 0 });
    harness.store.uproot(collection(), [idOf(0x7003)]);
  });

  it('walks everything when many buckets differ', async () => {
    await harness.store.losePoints(
      collection(),
      Array.from({ length: 40 }, (_, n) => idOf(n + 1)),
    );
    const result = await run();
    expect(result.differing_buckets).toHaveLength(40);
    expect(result).toMatchObject({ decision: 'repaired', repaired: 40 });
    await expectHealed();
  });

  it('takes in flight and dead entries for right, with a point or without', async () => {
    await harness.put(idOf(1), 'changed');
    await harness.put(idOf(0x7001), 'new');
    await harness.remove(idOf(2));
    await harness.database.query(`UPDATE index_ledger SET state = 'dead' WHERE source_id = $1`, [idOf(3)]);
    await harness.store.losePoints(collection(), [idOf(3)]);
    await expect(run()).resolves.toMatchObject({ decision: 'clean', in_flight: 3, dead: 1, differing_buckets: [] });
  });

  it('is guarded like a reconciliation', async () => {
    await harness.database.query('ALTER TABLE projects DISABLE TRIGGER kindred_capture_delete');
    await harness.database.query('DELETE FROM projects WHERE id <= $1', [idOf(100)]);
    await harness.database.query('ALTER TABLE projects ENABLE ALWAYS TRIGGER kindred_capture_delete');
    const result = await run();
    expect(result).toMatchObject({ decision: 'refused', repaired: 0, differences: { orphan: { count: 100 } } });
    await harness.drain(harness.newRelay());
    await expect(harness.store.count(collection())).resolves.toBe(ROWS);
  });

  it('leaves the repair to a reconciliation that is running', async () => {
    await harness.store.losePoints(collection(), [idOf(3)]);
    const lease = await harness.leases.acquire(`reconcile:${harness.generation.id}`);
    await expect(run()).resolves.toMatchObject({ decision: 'differs', repaired: 0 });
    await lease!.release();
    await expect(run()).resolves.toMatchObject({ decision: 'repaired', repaired: 1 });
  });

  it('only reads when asked to', async () => {
    await harness.store.losePoints(collection(), [idOf(3)]);
    const result = await harness.quickCheck.run(harness.generation, { isReadOnly: true });
    expect(result).toMatchObject({ decision: 'differs', repaired: 0, is_epoch_advanced: false });
    await expect(harness.entry(idOf(3))).resolves.toMatchObject({ state: 'synced' });
  });

  it('refuses the collection of another database', async () => {
    await harness.store.setMetadata(collection(), { database_id: 'another' });
    await expect(run()).resolves.toMatchObject({ decision: 'refused', is_epoch_advanced: false });
    await harness.store.setMetadata(collection(), { database_id: null });
  });
});

import { armCrashPoints, type CrashPoint } from '#kernel';
import { HookedVectorStore, waitFor } from '#testing';
import { GenerationBench } from './generation-bench.js';
import { idOf, SyncHarness } from './sync-harness.js';

const ROWS = 30;

/** A process dies at a named point; the next one, which knows nothing of it, goes on. */
describe('generations after a crash', () => {
  let harness: SyncHarness;
  let bench: GenerationBench;

  beforeEach(async () => {
    harness = await SyncHarness.create(new HookedVectorStore('qdrant'));
    // Several batches, so that one can be cut off in the middle.
    const fill = harness.filler.fill.bind(harness.filler);
    harness.filler.fill = (generation, source, options) => fill(generation, source, { ...options, batchSize: 10 });
    bench = GenerationBench.on(harness, { graceMs: 0 });
    for (let n = 1; n <= ROWS; n++) await harness.put(idOf(n), `row ${n}`);
    await bench.built(harness.generation.id);
  });
  afterEach(async () => {
    armCrashPoints(null);
    await bench.stop();
    await harness.close();
  });

  /** From the first time that the process comes to the point on, every step of it fails: nothing of it goes on, as after a kill. */
  function dieAt(deadly: CrashPoint): Promise<void> {
    const died = Promise.withResolvers<void>();
    let isDead = false;
    armCrashPoints((point) => {
      isDead ||= point === deadly;
      if (!isDead) return;
      died.resolve();
      throw new Error(`dead at ${deadly}`);
    });
    return died.promise;
  }

  /** The process is gone, and another one starts. Leases of the dead one are still held, and end by themselves. */
  async function restart(): Promise<void> {
    const { rows } = await harness.database.query<{ name: string }>('SELECT name FROM sync_leases');
    await bench.stop();
    armCrashPoints(null);
    for (const { name } of rows) {
      await harness.database.query(
        `INSERT INTO sync_leases (name, token, holder, lease_until) VALUES ($1, gen_random_uuid(), 'the dead one', clock_timestamp() + interval '500 ms') ON CONFLICT DO NOTHING`,
        [name],
      );
    }
    for (const { id } of await harness.catalog.list()) harness.catalog.detach(id);
    harness.catalog.invalidate();
    bench = GenerationBench.on(harness, { graceMs: 0 });
  }

  const sql = <Row>(statement: string) => harness.database.query<Row>(statement);
  const building = async () => (await bench.manager.list()).find(({ state }) => state === 'building')!;

  it.each<CrashPoint>(['generation.created', 'generation.collection-created', 'generation.fill-batch', 'generation.filled'])(
    'at %s: the next process goes on and builds it',
    async (point) => {
      const died = dieAt(point);
      await bench.manager.create('projects').catch(() => undefined);
      await died;
      await restart();
      await harness.put(idOf(ROWS + 1), 'written while it was being built');
      const { id } = await building();
      const built = await bench.built(id);
      await expect(bench.differences(built)).resolves.toEqual([]);
      await expect(bench.manager.switchTo(id)).resolves.toMatchObject({ state: 'serving' });
      const { rows } = await sql<{ generations: number; entries: number }>(
        `SELECT (SELECT count(*) FROM index_generations)::int AS generations, (SELECT count(*) FROM index_ledger WHERE generation_id = ${id})::int AS entries`,
      );
      expect(rows[0]).toEqual({ generations: 2, entries: ROWS + 1 });
    },
  );

  it('at generation.before-switch: nothing is switched, and the next call does it', async () => {
    const { id } = await bench.manager.create('projects');
    await bench.built(id);
    await bench.manager.gate(id);
    void dieAt('generation.before-switch');
    await expect(bench.manager.switchTo(id)).rejects.toThrow('dead at');
    await restart();
    await expect(bench.manager.get(id)).resolves.toMatchObject({ state: 'building', gateReport: { status: 'passed' } });
    await expect(bench.manager.switchTo(id)).resolves.toMatchObject({ state: 'serving' });
  });

  it.each<CrashPoint>(['generation.after-switch', 'generation.before-alias'])('at %s: it serves, and the alias follows', async (point) => {
    const { id, collection } = await bench.manager.create('projects');
    await bench.built(id);
    await bench.manager.gate(id);
    const died = dieAt(point);
    await bench.manager.switchTo(id).catch(() => undefined);
    await died;
    await restart();
    await expect(bench.directory().serving('projects')).resolves.toMatchObject({ generationId: id, collection });
    await waitFor(async () => (await harness.store.getAlias('test_projects')) === collection, { what: 'the alias' });
    await harness.put(idOf(1), 'written afterwards');
    for (const generation of await bench.manager.list())
      await expect(bench.differences(await bench.built(generation.id))).resolves.toEqual([]);
  });

  it('at generation.retired: the next process removes it', async () => {
    const { id, collection } = await bench.manager.create('projects');
    await bench.built(id);
    const died = dieAt('generation.retired');
    await expect(bench.manager.retire(id)).rejects.toThrow('dead at');
    await died;
    await restart();
    await waitFor(async () => (await bench.manager.get(id)).droppedAt !== null, { what: 'the removal' });
    await expect(harness.store.info(collection)).resolves.toBeNull();
  });

  it('in the middle of a removal: the next process ends it', async () => {
    const { id, collection } = await bench.manager.create('projects');
    await bench.built(id);
    const drop = harness.store.drop.bind(harness.store);
    const dropped = Promise.withResolvers<void>();
    harness.store.drop = async (name) => {
      await drop(name);
      dropped.resolve();
      throw new Error('dead after the collection was dropped');
    };
    await bench.manager.retire(id);
    await dropped.promise;
    await bench.stop();
    harness.store.drop = drop;
    await expect(bench.manager.get(id)).resolves.toMatchObject({ droppedAt: null });
    await restart();
    await waitFor(async () => (await bench.manager.get(id)).droppedAt !== null, { what: 'the removal' });
    await expect(harness.store.info(collection)).resolves.toBeNull();
    await expect(sql(`SELECT 1 FROM index_ledger WHERE generation_id = ${id}`)).resolves.toMatchObject({ rowCount: 0 });
  });

  it('a dead process’s right to fill ends by itself; until then nobody else fills', async () => {
    const listIds = jest.spyOn(harness.source, 'listIds');
    const dead = await harness.leases.acquire('fill:2', 400);
    jest.spyOn(dead!, 'renew').mockRejectedValue(new Error('dead'));
    const acquire = jest.spyOn(harness.leases, 'acquire');
    const { id } = await bench.manager.create('projects');
    expect(id).toBe(2);
    await waitFor(() => acquire.mock.calls.some(([name]) => name.startsWith('fill:')), { what: 'a try to fill' });
    await acquire.mock.results[0]!.value;
    await bench.supervisor.look();
    expect(listIds).not.toHaveBeenCalled();
    await bench.built(id);
    expect(listIds).toHaveBeenCalled();
  });

  it('two processes build it side by side: filled once, written by both, whole', async () => {
    const other = GenerationBench.on(harness, { graceMs: 0 });
    const listIds = jest.spyOn(harness.source, 'listIds');
    const { id } = await bench.manager.create('projects');
    const built = await bench.built(id);
    await expect(bench.differences(built)).resolves.toEqual([]);
    // Three full batches and the empty one that ends the walk.
    expect(listIds.mock.calls.filter(([, limit]) => limit === 10)).toHaveLength(ROWS / 10 + 1);
    await other.stop();
  });
});

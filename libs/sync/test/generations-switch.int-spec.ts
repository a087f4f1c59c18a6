import { armCrashPoints } from '#kernel';
import { HookedVectorStore, SeededRandom, waitFor } from '#testing';
import { DatabaseIndexDirectory, GenerationCatalog, GenerationRetiredError } from '../src/index.js';
import { GenerationBench } from './generation-bench.js';
import { idOf } from './sync-harness.js';

describe('switch of generation', () => {
  let bench: GenerationBench;

  beforeEach(async () => {
    bench = await GenerationBench.create({ store: new HookedVectorStore('qdrant'), graceMs: 0 });
    for (let n = 1; n <= 20; n++) await bench.harness.put(idOf(n), `word${n} about stairs`);
    await bench.built(bench.harness.generation.id);
  });
  afterEach(async () => {
    armCrashPoints(null);
    await bench.close();
  });

  const sql = (statement: string, parameters: unknown[] = []) => bench.harness.database.query(statement, parameters);

  it('and rollback, under 20 writes and 20 searches a second: no search fails or mixes, and nothing differs afterwards', async () => {
    const { harness, manager } = bench;
    harness.embedders.addModel('wide', { dimensions: 96 });
    const directory = bench.directory();
    const random = new SeededRandom(2026);
    const below = (limit: number): number => Math.floor(random.next() * limit);
    const failures: unknown[] = [];
    const answeredBy = new Set<number>();
    let isOver = false;
    let writes = 0;
    let searches = 0;
    const every = async (work: () => Promise<void>): Promise<void> => {
      while (!isOver) {
        const startedMs = performance.now();
        await work().catch((error: unknown) => failures.push(error));
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, 50 - (performance.now() - startedMs))));
      }
    };
    const writer = every(async () => {
      const id = idOf(1 + below(40));
      if (below(10) === 0) await harness.remove(id);
      else await harness.put(id, `text ${below(1_000_000)} of a stair`);
      writes++;
    });
    const searcher = every(async () => {
      const { collection, embedder, generationId } = await directory.serving('projects');
      const { vector } = await embedder.embedQuery(`stair ${below(100)}`);
      // A vector of another model than the collection's has another dimension here, and is refused.
      const found = await harness.store.query(collection, { vector, limit: 5 });
      if (found.length === 0) throw new Error('nothing was found');
      answeredBy.add(generationId);
      searches++;
    });
    const created = await manager.create('projects', { model: 'wide' });
    try {
      await waitFor(async () => (await manager.progress(created.id)).isFilled, { what: 'the fill' });
      await manager.switchTo(created.id);
      await waitFor(() => answeredBy.has(created.id), { what: 'an answer of the new one' });
      const before = writes;
      await waitFor(() => writes > before + 20, { what: 'writes after the switch' });
      await manager.rollback();
      const rolledBack = writes;
      await waitFor(() => writes > rolledBack + 20, { what: 'writes after the rollback' });
    } finally {
      isOver = true;
      await Promise.all([writer, searcher]);
    }
    expect(failures).toEqual([]);
    expect(answeredBy).toEqual(new Set([harness.generation.id, created.id]));
    expect(Math.min(writes, searches)).toBeGreaterThan(20);
    for (const id of answeredBy) expect(await bench.differences(await bench.built(id))).toEqual([]);
  });

  it('two operators at once: of 50 pairs one each wins, and the other is told', async () => {
    const { manager } = bench;
    const created = await manager.create('projects');
    await bench.built(created.id);
    await manager.gate(created.id);
    const ids = [bench.harness.generation.id, created.id];
    const second = bench.harness.newManager(bench.relay, bench.supervisor);
    for (let pair = 0; pair < 50; pair++) {
      const to = ids[(pair + 1) % 2]!;
      // Once each as a switch, and as a switch against a rollback.
      const calls = pair % 4 < 2 && pair > 0 ? [manager.rollback(to), second.rollback(to)] : [manager.switchTo(to), second.switchTo(to)];
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [loser] = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(loser!.reason).toMatchObject({ code: 'generations.conflict' });
      const { rows } = await sql(`SELECT id, state FROM index_generations ORDER BY id`);
      expect(rows).toEqual(ids.map((id) => ({ id, state: id === to ? 'serving' : 'standby' })));
    }
    await second.stop();
  });

  it('two operators with different generations in mind: one wins, the other is told, and one generation serves', async () => {
    const { harness, manager } = bench;
    const all = [harness.generation.id];
    for (let n = 0; n < 2; n++) {
      const { id } = await manager.create('projects');
      all.push(id);
      await bench.built(id);
      await manager.switchTo(id);
    }
    const info = harness.store.info.bind(harness.store);
    for (let pair = 0; pair < 20; pair++) {
      // Both have decided before either acts.
      const bothHaveLooked = Promise.withResolvers<void>();
      let looks = 0;
      harness.store.info = async (...args) => {
        if (++looks === 2) bothHaveLooked.resolve();
        await bothHaveLooked.promise;
        return info(...args);
      };
      const serving = (await manager.list()).find(({ state }) => state === 'serving')!.id;
      const outcomes = await Promise.allSettled(all.filter((id) => id !== serving).map((id) => manager.rollback(id)));
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const [loser] = outcomes.filter((outcome) => outcome.status === 'rejected');
      expect(loser!.reason).toMatchObject({ code: 'generations.conflict' });
    }
  });

  it('a retirement and a switch at once: one wins, and there is always one that serves', async () => {
    const { manager } = bench;
    for (let round = 0; round < 5; round++) {
      const serving = (await manager.list()).find(({ state }) => state === 'serving')!;
      const created = await manager.create('projects');
      await bench.built(created.id);
      await manager.gate(created.id);
      const outcomes = await Promise.allSettled([manager.switchTo(created.id), manager.retire(created.id)]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const { state } = await manager.get(created.id);
      expect(state).toBe(outcomes[0].status === 'fulfilled' ? 'serving' : 'retired');
      await expect(manager.get(serving.id)).resolves.toMatchObject({ state: state === 'serving' ? 'standby' : 'serving' });
    }
  });

  it('reaches another replica within a second, with collection and model together', async () => {
    const { harness, manager } = bench;
    harness.embedders.addModel('wide', { dimensions: 96 });
    const created = await manager.create('projects', { model: 'wide' });
    await bench.built(created.id);
    await manager.gate(created.id);
    // A catalog of its own, as another process has.
    const catalog = new GenerationCatalog(harness.database.unitOfWork, harness.clock);
    const replica = new DatabaseIndexDirectory(harness.database.unitOfWork, catalog, harness.embedders, bench.relay, harness.clock);
    await replica.serving('projects');
    await manager.switchTo(created.id);
    await waitFor(
      async () => {
        const { collection, embedder } = await replica.serving('projects');
        expect(embedder.dimensions).toBe(collection === created.collection ? 96 : 64);
        return collection === created.collection;
      },
      // The time that the catalog keeps what it has read, and as much for this machine.
      { what: 'the switch', timeoutMs: 2_000 },
    );
  });

  describe('the alias', () => {
    it('is repaired when the process dies between the switch and the alias', async () => {
      const { harness, manager } = bench;
      const created = await manager.create('projects');
      await bench.built(created.id);
      await bench.supervisor.stop();
      armCrashPoints((point) => {
        if (point === 'generation.after-switch') throw new Error('killed');
      });
      await expect(manager.switchTo(created.id)).rejects.toThrow('killed');
      armCrashPoints(null);
      await expect(manager.get(created.id)).resolves.toMatchObject({ state: 'serving' });
      await expect(harness.store.getAlias('test_projects')).resolves.toBe(harness.generation.collection);
      await bench.stop();
      bench = GenerationBench.on(harness);
      await waitFor(async () => (await harness.store.getAlias('test_projects')) === created.collection, { what: 'the alias' });
    });

    it('does not undo a switch when it fails, and follows once it can', async () => {
      const { harness, manager } = bench;
      const created = await manager.create('projects');
      await bench.built(created.id);
      const setAlias = jest.spyOn(harness.store, 'setAlias').mockRejectedValue(new Error('not now'));
      await expect(manager.switchTo(created.id)).resolves.toMatchObject({ state: 'serving' });
      await waitFor(() => setAlias.mock.calls.length > 2, { what: 'further tries' });
      setAlias.mockRestore();
      await waitFor(async () => (await harness.store.getAlias('test_projects')) === created.collection, { what: 'the alias' });
    });

    it('is looked at again while it is being set: a switch in between is not set back', async () => {
      const { harness, manager } = bench;
      const created = await manager.create('projects');
      await bench.built(created.id);
      await bench.supervisor.stop();
      await harness.store.setAlias('test_projects', created.collection);
      const other = harness.newManager(bench.relay, bench.supervisor);
      await other.gate(created.id);
      const setAlias = harness.store.setAlias.bind(harness.store);
      harness.store.setAlias = async (alias, collection) => {
        harness.store.setAlias = setAlias;
        // The supervisor has read the old one; now another process switches and sets the alias, and the old value arrives late.
        await other.switchTo(created.id);
        await setAlias(alias, collection);
      };
      await harness.alias.repair('projects');
      await expect(harness.store.getAlias('test_projects')).resolves.toBe(created.collection);
      await other.stop();
    });
  });

  describe('a retired generation', () => {
    const retired = async () => {
      const created = await bench.manager.create('projects');
      await bench.built(created.id);
      await bench.manager.retire(created.id);
      return created;
    };
    const entries = async (id: number) => (await sql('SELECT 1 FROM index_ledger WHERE generation_id = $1', [id])).rowCount;

    it('keeps collection and entries until the grace is over, by the database’s clock', async () => {
      await bench.stop();
      const { harness } = bench;
      bench = GenerationBench.on(harness, { graceMs: 3_600_000 });
      const { id, collection } = await retired();
      await expect(bench.retired.removeDue()).resolves.toEqual([]);
      await expect(harness.store.info(collection)).resolves.not.toBeNull();
      await expect(entries(id)).resolves.toBe(20);
      await sql(`UPDATE index_generations SET retired_at = now() - interval '61 minutes' WHERE id = $1`, [id]);
      await waitFor(async () => (await bench.manager.get(id)).droppedAt !== null, { what: 'the removal' });
      await expect(harness.store.info(collection)).resolves.toBeNull();
      await expect(entries(id)).resolves.toBe(0);
      await expect(bench.manager.get(id)).resolves.toMatchObject({ state: 'retired', collection });
    });

    it('does not come back by a relay that is late, before or after the removal', async () => {
      const { harness } = bench;
      const created = await retired();
      await waitFor(async () => (await bench.manager.get(created.id)).droppedAt !== null, { what: 'the removal' });
      const ensureIndex = jest.spyOn(harness.store, 'ensureIndex');
      // As the listener of a relay whose write found no collection.
      await expect(harness.attacher.attach(created, harness.source)).rejects.toBeInstanceOf(GenerationRetiredError);
      await expect(harness.store.info(created.collection)).resolves.toBeNull();
      expect(ensureIndex).not.toHaveBeenCalled();
      expect(harness.catalog.isAttached(created.id)).toBe(false);
    });

    it('does not come back either when it is removed while its collection is being attached', async () => {
      const { harness } = bench;
      const created = await bench.manager.create('projects');
      await bench.built(created.id);
      await bench.supervisor.stop();
      harness.catalog.detach(created.id);
      await harness.store.drop(created.collection);
      const ensureIndex = harness.store.ensureIndex.bind(harness.store);
      harness.store.ensureIndex = async (spec) => {
        // Frozen here, for longer than the grace.
        await sql(`UPDATE index_generations SET state = 'retired', retired_at = now(), dropped_at = now() WHERE id = $1`, [created.id]);
        return ensureIndex(spec);
      };
      await expect(harness.attacher.attach(created, harness.source)).rejects.toBeInstanceOf(GenerationRetiredError);
      await expect(harness.store.info(created.collection)).resolves.toBeNull();
      expect(harness.catalog.isAttached(created.id)).toBe(false);
    });

    it('lets go of its relays and its fill', async () => {
      const { harness, manager } = bench;
      const listIds = harness.source.listIds.bind(harness.source);
      const filling = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      harness.source.listIds = async (...args) => {
        filling.resolve();
        await goOn.promise;
        return listIds(...args);
      };
      const created = await manager.create('projects');
      await filling.promise;
      await manager.retire(created.id);
      await waitFor(() => !harness.catalog.isAttached(created.id), { what: 'the relay to let go' });
      await bench.supervisor.look();
      goOn.resolve();
      await waitFor(async () => (await manager.get(created.id)).droppedAt !== null, { what: 'the removal' });
      await waitFor(async () => (await entries(created.id)) === 0, { what: 'the entries to be gone' });
      await expect(manager.get(created.id)).resolves.toMatchObject({ filledAt: null });
    });

    it('loses its entries also when a writer holds one, and when a late writer enters one afterwards', async () => {
      const { harness, manager } = bench;
      const created = await manager.create('projects');
      await bench.built(created.id);
      const writer = harness.database.dataSource.createQueryRunner();
      await writer.query('BEGIN');
      await writer.query(`UPDATE projects SET description = 'held' WHERE id = $1`, [idOf(1)]);
      await manager.retire(created.id);
      await waitFor(async () => (await entries(created.id)) === 1, { what: 'all entries but the held one to be gone' });
      await expect(manager.get(created.id)).resolves.toMatchObject({ droppedAt: null });
      await writer.query('COMMIT');
      await writer.release();
      await waitFor(async () => (await manager.get(created.id)).droppedAt !== null, { what: 'the removal' });
      await expect(entries(created.id)).resolves.toBe(0);
      await sql(
        `INSERT INTO index_ledger (generation_id, source_id, version, state) VALUES ($1, $2, nextval('index_version_seq'), 'pending')`,
        [created.id, idOf(1)],
      );
      await bench.stop();
      bench = GenerationBench.on(harness);
      await waitFor(async () => (await entries(created.id)) === 0, { what: 'the sweep' });
    });

    it('keeps a collection that says that it belongs to another database', async () => {
      const { harness, manager } = bench;
      const created = await manager.create('projects');
      await bench.built(created.id);
      await harness.store.setMetadata(created.collection, { database_id: '00000000-0000-4000-8000-000000000000' });
      await manager.retire(created.id);
      await waitFor(async () => (await manager.get(created.id)).droppedAt !== null, { what: 'the end' });
      await expect(harness.store.info(created.collection)).resolves.not.toBeNull();
    });

    it('waits for an index that is away', async () => {
      const { harness, manager } = bench;
      const created = await manager.create('projects');
      await bench.built(created.id);
      harness.store.goAway();
      await manager.retire(created.id);
      for (let look = 0; look < 3; look++) await bench.supervisor.look();
      await expect(manager.get(created.id)).resolves.toMatchObject({ droppedAt: null });
      harness.store.recover();
      await waitFor(async () => (await manager.get(created.id)).droppedAt !== null, { what: 'the removal' });
      await expect(harness.store.info(created.collection)).resolves.toBeNull();
    });
  });
});

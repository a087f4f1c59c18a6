import { FakeEmbedder, HookedVectorStore, waitFor } from '#testing';
import { createDataSource, TypeOrmUnitOfWork } from '#database';
import { FatalStartupError } from '#kernel';
import {
  DatabaseIndexDirectory,
  GenerationBootstrap,
  GenerationCatalog,
  GenerationFiller,
  SyncReadiness,
  SyncStartup,
  type IndexRelay,
} from '../src/index.js';
import type { SyncStartupParts } from '../src/sync-startup.js';
import { idOf, SyncHarness } from './sync-harness.js';

/** A start from nothing: no generation yet. */
describe('start of the engine', () => {
  let harness: SyncHarness;
  const started: { startup: SyncStartup; relay: IndexRelay }[] = [];

  beforeEach(async () => {
    harness = await SyncHarness.create(new HookedVectorStore('local'), false);
  });
  afterEach(async () => {
    for (const { startup } of started.splice(0)) await startup.stop();
    await harness.close();
  });

  function start(overrides: Partial<SyncStartupParts> = {}): { readiness: SyncReadiness; relay: IndexRelay; startup: SyncStartup } {
    const readiness = new SyncReadiness();
    const relay = overrides.relay ?? harness.newRelay();
    const startup = new SyncStartup({
      databaseReady: () => Promise.resolve(),
      unitOfWork: harness.database.relayUnitOfWork,
      store: harness.store,
      bootstrap: harness.bootstrap,
      supervisor: harness.newSupervisor(relay),
      relay,
      readiness,
      clock: harness.clock,
      isRelayEnabled: true,
      drainWaitMs: 5_000,
      ...overrides,
    });
    started.push({ startup, relay });
    startup.start();
    return { readiness, relay, startup };
  }

  const serving = async () => {
    harness.catalog.invalidate();
    return (await harness.catalog.list()).find(({ state }) => state === 'serving')!;
  };
  const points = async () => harness.store.count((await serving()).collection);

  it('creates nothing on a model that does not work here, so that the start after the mistake is mended finds nothing of it', async () => {
    harness.embedders.refuseModel(harness.embedder.descriptor.model);
    const { readiness } = start();
    await expect(readiness.whenReady()).rejects.toBeInstanceOf(FatalStartupError);
    const { rows } = await harness.database.query('SELECT 1 FROM index_generations');
    expect(rows).toHaveLength(0);
  });

  it('creates one serving generation, its collection and its alias, and indexes rows that were there before', async () => {
    await harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, 2500) n`);
    const { readiness } = start();
    await readiness.whenReady();
    expect(readiness.isReady).toBe(true);
    const generation = await serving();
    expect(generation.collection).toMatch(/^test_projects_g\d+_[0-9a-f]{6}$/);
    expect(generation).toMatchObject({
      modelRev: harness.embedder.modelRev,
      templateRev: 't1',
      dimensions: 64,
      embedder: harness.embedder.descriptor,
    });
    await waitFor(async () => (await points()) === 2500, { what: '2,500 points' });
    await expect(harness.store.getAlias('test_projects')).resolves.toBe(generation.collection);
    expect((await serving()).filledAt).not.toBeNull();
    const info = await harness.store.info(generation.collection);
    expect(info!.metadata).toMatchObject({
      source: 'projects',
      generation: generation.id,
      model_rev: generation.modelRev,
      template_rev: 't1',
    });
  });

  it('is created once by three replicas at the same time, and filled by all of them without harm', async () => {
    await harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, 3000) n`);
    const pools = await Promise.all(
      [1, 2, 3].map(() => createDataSource({ url: harness.database.url, applicationName: 'replica', poolSize: 2 }).initialize()),
    );
    try {
      const replicas = pools.map((pool) => {
        const unitOfWork = new TypeOrmUnitOfWork(() => pool);
        const catalog = new GenerationCatalog(unitOfWork, harness.clock);
        return {
          bootstrap: new GenerationBootstrap(unitOfWork, harness.embedders, harness.sources, catalog, 'test'),
          filler: new GenerationFiller(unitOfWork, harness.clock),
        };
      });
      const adopted = await Promise.all(
        replicas.map(async ({ bootstrap, filler }) => {
          const [generation] = await bootstrap.run();
          await filler.fill(generation!, harness.source, { batchSize: 250 });
          return generation!.id;
        }),
      );
      expect(new Set(adopted).size).toBe(1);
    } finally {
      await Promise.all(pools.map((pool) => pool.destroy()));
    }
    const { rows } = await harness.database.query<{ generations: number; entries: number; keys: number }>(
      `SELECT (SELECT count(*) FROM index_generations)::int AS generations, count(*)::int AS entries, count(DISTINCT source_id)::int AS keys FROM index_ledger`,
    );
    expect(rows[0]).toEqual({ generations: 1, entries: 3000, keys: 3000 });
  });

  it('goes on with a fill that was cut off', async () => {
    await harness.database.query(`INSERT INTO projects (name, description) SELECT 'n', 'text ' || n FROM generate_series(1, 1000) n`);
    const [generation] = await harness.bootstrap.run();
    const death = new AbortController();
    const listIds = harness.source.listIds.bind(harness.source);
    let batches = 0;
    harness.source.listIds = async (...args) => {
      if (++batches === 3) death.abort(new Error('killed'));
      return listIds(...args);
    };
    await expect(harness.filler.fill(generation!, harness.source, { batchSize: 100, signal: death.signal })).rejects.toThrow('killed');
    const half = await harness.database.query('SELECT 1 FROM index_ledger');
    expect(half.rowCount).toBe(300);
    expect((await serving()).filledAt).toBeNull();
    await harness.filler.fill(generation!, harness.source, { batchSize: 100 });
    const whole = await harness.database.query('SELECT 1 FROM index_ledger');
    expect(whole.rowCount).toBe(1000);
    expect((await serving()).filledAt).not.toBeNull();
  });

  it('becomes ready with a remote index that is down, and connects later by itself', async () => {
    const store = new HookedVectorStore('qdrant');
    await harness.close();
    harness = await SyncHarness.create(store, false);
    store.goAway();
    await harness.put(idOf(1), 'text');
    const { readiness } = start();
    await readiness.whenReady();
    store.recover();
    await waitFor(async () => (await points()) === 1, { what: 'the point' });
  });

  it('waits for the database, and for the model', async () => {
    const database = Promise.withResolvers<void>();
    const release = harness.embedder.hold();
    const { readiness } = start({ databaseReady: () => database.promise });
    expect(readiness.state).toBe('waiting for the database');
    database.resolve();
    await waitFor(() => harness.embedder.calls.ready === 1, { what: 'the model to be loaded' });
    expect(readiness).toMatchObject({ state: 'loading the model', isReady: false });
    release();
    await readiness.whenReady();
  });

  it('tells a person what must be changed first', async () => {
    const { readiness } = start({ databaseReady: () => Promise.reject(new FatalStartupError('no model here')) });
    await expect(readiness.whenReady()).rejects.toThrow('no model here');
    expect(readiness).toMatchObject({ state: 'failed', isReady: false });
  });

  it('marks everything when the index was lost, and embeds nothing again', async () => {
    const store = new HookedVectorStore('qdrant');
    await harness.close();
    harness = await SyncHarness.create(store, false);
    for (let n = 1; n <= 20; n++) await harness.put(idOf(n), `text ${n}`);
    const first = start();
    await waitFor(async () => first.readiness.isReady && (await points()) === 20, { what: '20 points' });
    await first.startup.stop();
    await store.drop((await serving()).collection);
    harness.embedder.resetCalls();
    harness.catalog.detach((await serving()).id);
    start();
    await waitFor(async () => (await points()) === 20, { what: '20 points again' });
    expect(harness.embedder.calls.documents).toBe(0);
  });

  it('marks everything also when it died between the creation of the collection and the marking', async () => {
    for (let n = 1; n <= 5; n++) await harness.put(idOf(n), `text ${n}`);
    const first = start();
    await first.readiness.whenReady();
    await waitFor(async () => (await points()) === 5, { what: '5 points' });
    await first.startup.stop();
    const generation = await serving();
    await harness.store.drop(generation.collection);
    // Somebody created it, and did not come to mark the entries.
    await harness.store.ensureIndex({
      name: generation.collection,
      dimensions: 64,
      payloadIndexes: [],
      metadata: { generation: generation.id, source: 'projects' },
    });
    Object.defineProperty(harness.store, 'source', { value: 'qdrant' });
    start();
    await waitFor(async () => (await points()) === 5, { what: '5 points again' });
  });

  it('heals a collection that disappears while it runs', async () => {
    for (let n = 1; n <= 5; n++) await harness.put(idOf(n), `text ${n}`);
    const { readiness } = start();
    await readiness.whenReady();
    await waitFor(async () => (await points()) === 5, { what: '5 points' });
    await harness.store.drop((await serving()).collection);
    await harness.put(idOf(6), 'the write that notices');
    await waitFor(async () => (await points()) === 6, { what: '6 points' });
  });

  it('opens a store again that says it has lost points, compares, and writes what is missing', async () => {
    for (let n = 1; n <= 10; n++) await harness.put(idOf(n), `text ${n}`);
    const { readiness } = start();
    await readiness.whenReady();
    await waitFor(async () => (await points()) === 10, { what: '10 points' });
    const { collection } = await serving();
    await harness.store.losePoints(collection, [idOf(2), idOf(3)]);
    harness.embedder.resetCalls();
    harness.store.breakDown();
    await waitFor(async () => (await points()) === 10, { what: '10 points again' });
    expect(harness.store.openings).toBe(2);
    expect(harness.embedder.calls.documents).toBe(0);
  });

  it('never writes to a collection that belongs to another generation', async () => {
    const [generation] = await harness.bootstrap.run();
    await harness.store.ensureIndex({
      name: generation!.collection,
      dimensions: 64,
      payloadIndexes: [],
      metadata: { generation: 999, source: 'projects' },
    });
    await expect(harness.attacher.attach(generation!, harness.source)).rejects.toThrow(/belongs to another generation/);
    await expect(harness.catalog.listAttached()).resolves.toEqual([]);
    expect((await harness.store.info(generation!.collection))!.metadata).toMatchObject({ generation: 999 });
  });

  it("keeps the generation's own model when another one is configured", async () => {
    const [before] = await harness.bootstrap.run();
    const other = new FakeEmbedder({ revision: 'another' });
    const bootstrap = new GenerationBootstrap(
      harness.database.relayUnitOfWork,
      Object.assign(Object.create(harness.embedders) as typeof harness.embedders, { describeConfigured: async () => other.descriptor }),
      harness.sources,
      harness.catalog,
      'test',
    );
    const [after] = await bootstrap.run();
    expect(after).toEqual(before);
  });

  describe('directory', () => {
    const directory = () =>
      new DatabaseIndexDirectory(harness.database.unitOfWork, harness.catalog, harness.embedders, harness.newRelay(), harness.clock);

    it('is not ready before there is a generation, and names collection and model of one row afterwards', async () => {
      await expect(directory().serving('projects')).rejects.toMatchObject({ code: 'search.not-ready' });
      const [generation] = await harness.bootstrap.run();
      await expect(directory().serving('projects')).resolves.toEqual({
        generationId: generation!.id,
        source: 'projects',
        collection: generation!.collection,
        embedder: harness.embedder,
        modelLabel: 'fake-bag-of-words:fp32',
      });
    });

    it('tells where a row stands', async () => {
      await harness.begin();
      await expect(directory().entryStatus('projects', idOf(1))).resolves.toBeNull();
      await harness.put(idOf(1), 'text');
      await expect(directory().entryStatus('projects', idOf(1))).resolves.toMatchObject({
        state: 'pending',
        indexedVersion: null,
        isTruncated: null,
        lastError: null,
      });
      await expect(directory().pendingCount('projects')).resolves.toBe(1);
      await harness.drain(harness.newRelay());
      const status = (await directory().entryStatus('projects', idOf(1)))!;
      expect(status).toMatchObject({ state: 'synced', attempts: 0, isTruncated: false });
      expect(status.indexedVersion).toBe(status.version);
      await harness.put(idOf(2), 'word '.repeat(1000));
      await harness.drain(harness.newRelay());
      await expect(directory().entryStatus('projects', idOf(2))).resolves.toMatchObject({ isTruncated: true });
    });

    it('asks the database once for callers at the same time, and not again within a second', async () => {
      await harness.begin();
      const catalog = new GenerationCatalog(harness.database.unitOfWork, harness.clock);
      const query = jest.spyOn(harness.database.unitOfWork, 'query');
      const one = new DatabaseIndexDirectory(harness.database.unitOfWork, catalog, harness.embedders, harness.newRelay(), harness.clock);
      await Promise.all(Array.from({ length: 20 }, () => one.serving('projects')));
      await one.serving('projects');
      expect(query).toHaveBeenCalledTimes(1);
      await Promise.all(Array.from({ length: 20 }, () => one.pendingCount('projects')));
      expect(query).toHaveBeenCalledTimes(2);
      catalog.invalidate();
      await one.serving('projects');
      expect(query).toHaveBeenCalledTimes(3);
      query.mockRestore();
    });
  });
});

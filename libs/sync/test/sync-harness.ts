import { SystemClock, SystemIdGenerator } from '#kernel';
import { createTestDatabase, FakeEmbedder, FakeEmbedderRegistry, HookedVectorStore, type TestDatabase } from '#testing';
import type { StoredPoint } from '#vector-store';
import {
  Certificates,
  CollectionAttacher,
  GenerationBootstrap,
  GenerationCatalog,
  GateSampleCheck,
  GenerationCreator,
  GenerationFiller,
  GenerationGate,
  GenerationManager,
  GenerationPlanner,
  GenerationSupervisor,
  IndexRelay,
  IndexSourceRegistry,
  LocalIndexComparison,
  ModelKeeper,
  QuickCheck,
  Reconciler,
  ReconcilerProof,
  RestoreGuard,
  RetiredCollections,
  SearchComparison,
  ServingAlias,
  SyncLeases,
  textHashOf,
  type GenerationGateParts,
  type GenerationSupervisorParts,
  type IndexGeneration,
  type ReconcilerParts,
  type RelayContext,
  type RelaySettings,
} from '../src/index.js';
import { NoteSource } from './note-source.js';

/** Long leases: a test lets them expire when it wants to. */
const SETTINGS: RelaySettings = { leaseMs: 60_000, writeTimeoutMs: 20_000, graceMs: 100_000, batchSize: 64, maxAttempts: 10 };

export interface EntryRow {
  version: string;
  state: string;
  in_doubt: boolean;
  indexed_version: string | null;
  indexed_hash: Buffer | null;
  attempts: number;
  lease_token: string | null;
  last_error: { code: string; message: string } | null;
  due_in_ms: number;
}

/** The engine on a real database and doubles of store and embedder, with one generation that is filled and attached. */
export class SyncHarness {
  readonly source = new NoteSource();
  readonly sources = new IndexSourceRegistry();
  readonly clock = new SystemClock();
  readonly embedders: FakeEmbedderRegistry;
  readonly catalog: GenerationCatalog;
  readonly comparison: LocalIndexComparison;
  readonly leases: SyncLeases;
  readonly certificates: Certificates;
  readonly guard: RestoreGuard;
  readonly reconciler: Reconciler;
  readonly quickCheck: QuickCheck;
  readonly alias: ServingAlias;
  readonly attacher: CollectionAttacher;
  readonly bootstrap: GenerationBootstrap;
  readonly filler: GenerationFiller;
  generation!: IndexGeneration;
  private releaseEmbedder: () => void = () => undefined;

  private constructor(
    readonly database: TestDatabase,
    readonly store: HookedVectorStore,
    readonly embedder: FakeEmbedder,
  ) {
    this.sources.register(this.source);
    this.embedders = new FakeEmbedderRegistry(embedder);
    this.catalog = new GenerationCatalog(database.unitOfWork, this.clock);
    this.comparison = new LocalIndexComparison(database.relayUnitOfWork, store, 100);
    this.leases = new SyncLeases(database.relayUnitOfWork, new SystemIdGenerator());
    this.certificates = new Certificates(database.unitOfWork);
    this.guard = this.newGuard();
    this.reconciler = this.newReconciler();
    this.quickCheck = new QuickCheck({
      unitOfWork: database.relayUnitOfWork,
      store,
      sources: this.sources,
      leases: this.leases,
      clock: this.clock,
      guard: this.guard,
      onRepaired: () => undefined,
      pageSize: 100,
      confirmPauseMs: 1,
    });
    this.alias = new ServingAlias(database.relayUnitOfWork, store, 'test');
    this.attacher = new CollectionAttacher(database.relayUnitOfWork, store, this.catalog, this.comparison, this.guard, this.alias);
    this.bootstrap = new GenerationBootstrap(database.relayUnitOfWork, this.embedders, this.sources, this.catalog, 'test');
    this.filler = new GenerationFiller(database.relayUnitOfWork, this.clock);
  }

  /** @param hasBegun whether the first generation is created, filled and attached */
  static async create(store = new HookedVectorStore(), hasBegun = true): Promise<SyncHarness> {
    const harness = new SyncHarness(await createTestDatabase(), store, new FakeEmbedder());
    if (hasBegun) await harness.begin();
    return harness;
  }

  /** Creates, fills and attaches the first generation. */
  async begin(): Promise<void> {
    await this.store.open();
    const [generation] = await this.bootstrap.run();
    this.generation = generation!;
    await this.filler.fill(this.generation, this.source);
    await this.attacher.attach(this.generation, this.source);
  }

  /** @param graceMs how long a healing waits; the tests send nothing late unless they say so */
  newGuard(graceMs = 0, unitOfWork = this.database.relayUnitOfWork): RestoreGuard {
    return new RestoreGuard({
      unitOfWork,
      store: this.store,
      leases: this.leases,
      ids: new SystemIdGenerator(),
      graceMs,
      onResumed: () => this.catalog.invalidate(),
    });
  }

  newReconciler(overrides: Partial<ReconcilerParts> = {}): Reconciler {
    return new Reconciler({
      unitOfWork: this.database.relayUnitOfWork,
      store: this.store,
      sources: this.sources,
      leases: this.leases,
      certificates: this.certificates,
      ids: new SystemIdGenerator(),
      clock: this.clock,
      random: () => 0.5,
      onRepaired: () => undefined,
      onAhead: () => undefined,
      pageSize: 100,
      confirmPauseMs: 1,
      ...overrides,
    });
  }

  newRelay(settings: Partial<RelaySettings> = {}, overrides: Partial<RelayContext> = {}): IndexRelay {
    return new IndexRelay({
      unitOfWork: this.database.relayUnitOfWork,
      store: this.store,
      embedders: this.embedders,
      sources: this.sources,
      catalog: this.catalog,
      settings: { ...SETTINGS, ...settings },
      clock: this.clock,
      ids: new SystemIdGenerator(),
      random: () => 0.5,
      ...overrides,
    });
  }

  /** Looks every 50 ms, and lets a dead process's fill go on after a second. */
  newSupervisor(relay: IndexRelay, overrides: Partial<GenerationSupervisorParts> = {}): GenerationSupervisor {
    const { relayUnitOfWork } = this.database;
    return new GenerationSupervisor({
      unitOfWork: relayUnitOfWork,
      store: this.store,
      models: new ModelKeeper(this.embedders),
      sources: this.sources,
      catalog: this.catalog,
      filler: this.filler,
      attacher: this.attacher,
      alias: this.alias,
      retired: new RetiredCollections(relayUnitOfWork, this.store, this.leases, this.alias, SETTINGS.graceMs),
      leases: this.leases,
      relay,
      clock: this.clock,
      intervalMs: 50,
      fillLeaseMs: 1_000,
      ...overrides,
    });
  }

  /** What a gate asks for. */
  proof(): ReconcilerProof {
    return new ReconcilerProof(this.reconciler);
  }

  /** What operators hold, on one relay and supervisor. A gate waits for at most two seconds. */
  newManager(relay: IndexRelay, supervisor: GenerationSupervisor, gate: Partial<GenerationGateParts> = {}): GenerationManager {
    const { relayUnitOfWork } = this.database;
    const { catalog, embedders, leases, sources, store } = this;
    const planner = new GenerationPlanner(relayUnitOfWork, embedders, catalog, this.clock, 'test');
    return new GenerationManager({
      unitOfWork: relayUnitOfWork,
      store,
      catalog,
      relay,
      gate: new GenerationGate({
        unitOfWork: relayUnitOfWork,
        sources,
        catalog,
        leases,
        relay,
        proof: this.proof(),
        sampleCheck: new GateSampleCheck(relayUnitOfWork, store, embedders),
        comparison: new SearchComparison(relayUnitOfWork, store, embedders),
        clock: this.clock,
        drainWaitMs: 2_000,
        ...gate,
      }),
      creator: new GenerationCreator(relayUnitOfWork, embedders, sources, catalog, planner, 'test'),
      alias: this.alias,
      supervisor,
    });
  }

  /** Row := text. */
  async put(id: string, text: string, complexity: number | null = null): Promise<void> {
    await this.database.query(
      `INSERT INTO projects (id, name, description, complexity) VALUES ($1, 'n', $2, $3)
       ON CONFLICT (id) DO UPDATE SET description = EXCLUDED.description, complexity = EXCLUDED.complexity`,
      [id, text, complexity],
    );
  }

  async remove(id: string): Promise<void> {
    await this.database.query('DELETE FROM projects WHERE id = $1', [id]);
  }

  /** Makes every lease end now. */
  async expireLeases(): Promise<void> {
    await this.database.query(`UPDATE index_ledger SET lease_until = now() - interval '1 second' WHERE lease_until IS NOT NULL`);
  }

  /** Makes everything due now: tombstones whose grace would take a while, and retries. */
  async passTime(): Promise<void> {
    await this.database.query(`UPDATE index_ledger SET next_attempt_at = now() WHERE state IN ('pending', 'tombstone')`);
  }

  async entry(id: string, generationId = this.generation.id): Promise<EntryRow | undefined> {
    const { rows } = await this.database.query<EntryRow>(
      'SELECT *, extract(epoch FROM next_attempt_at - now())::double precision * 1000 AS due_in_ms FROM index_ledger WHERE generation_id = $1 AND source_id = $2',
      [generationId, id],
    );
    return rows[0];
  }

  async point(id: string, collection = this.generation.collection): Promise<StoredPoint | undefined> {
    return (await this.store.retrieve(collection, [id]))[0];
  }

  /** Which text the point was made from, judged by its hash. */
  async indexedText(id: string, candidates: readonly string[], collection = this.generation.collection): Promise<string | null> {
    const point = await this.point(id, collection);
    if (point === undefined) return null;
    const hit = candidates.find(
      (text) => textHashOf(this.generation.modelRev, this.generation.templateRev, text).toString('hex') === point.payload.text_hash,
    );
    return hit ?? 'something else';
  }

  /** Makes the embedder wait until the returned function is called, or the next test begins. */
  holdEmbedder(): () => void {
    this.releaseEmbedder = this.embedder.hold();
    return this.releaseEmbedder;
  }

  /** Runs the relay until it finds nothing due. */
  async drain(relay: IndexRelay): Promise<void> {
    for (;;) if ((await relay.runOnce()).claimed === 0) return;
  }

  /** Leaves rows, ledger and index empty, and all hooks off. */
  async clear(): Promise<void> {
    this.store.passWrites();
    this.store.failWrites(null);
    this.store.recover();
    this.store.held.length = 0;
    this.releaseEmbedder();
    this.embedder.recover();
    this.embedder.resetCalls();
    await this.database.query('DELETE FROM projects');
    await this.database.query('DELETE FROM index_ledger');
    await this.database.query('DELETE FROM embedding_cache');
    const { points } = await this.store.scroll(this.generation.collection, { limit: 100_000 });
    await this.store.losePoints(
      this.generation.collection,
      points.map(({ id }) => id),
    );
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}

/** The n-th id. */
export const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

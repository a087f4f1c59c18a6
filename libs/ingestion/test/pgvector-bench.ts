import { ReadOnlySource } from '#database';
import {
  ChunkRepository,
  CollectionRepository,
  DOCUMENT_SOURCE,
  DocumentChunker,
  DocumentIndexSource,
  DocumentRepository,
  DocumentWriter,
} from '#documents';
import type { EmbedderDescriptor } from '#embeddings';
import {
  chooseKeptGenerations,
  ImportCheckpoints,
  ImportCollections,
  ImportVerification,
  PgvectorImport,
  PgvectorTable,
  VectorKeeper,
  type ColumnMapping,
  type PgvectorImportCounts,
  type PgvectorImportResult,
  type RefusedRow,
  type VerificationReport,
} from '#ingestion';
import { SystemClock, SystemIdGenerator } from '#kernel';
import {
  CachedVectors,
  CollectionAttacher,
  DatabaseIndexDirectory,
  GenerationBootstrap,
  GenerationCatalog,
  GenerationCreator,
  GenerationFiller,
  GenerationPlanner,
  IndexRelay,
  IndexSourceRegistry,
  LocalIndexComparison,
  RestoreGuard,
  ServingAlias,
  SyncLeases,
} from '#sync';
import { createTestDatabase, FakeEmbedder, FakeEmbedderRegistry, FakeVectorStore, type TestDatabase } from '#testing';
import { randomBytes } from 'node:crypto';

export const MAPPING: ColumnMapping = {
  content: 'content',
  external_id: 'id',
  kind: 'kind',
  metadata: 'metadata',
  vector: 'embedding',
};
export const COLLECTION = 'catalog';
const RELAY_SETTINGS = { leaseMs: 60_000, writeTimeoutMs: 20_000, graceMs: 100_000, batchSize: 500, maxAttempts: 10 };
const PASSWORD = 'reader';

export interface RunOverrides {
  readonly mapping?: ColumnMapping;
  readonly isDryRun?: boolean;
  readonly isResumed?: boolean;
  readonly batchSize?: number;
  /** Default true: the vectors are those of the embedder of the bench. */
  readonly keepsVectors?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (counts: PgvectorImportCounts) => void;
}

/** A foreign database with a pgvector table, opened by a role that may only read it, and Kindred's own with an index of documents. */
export class PgvectorBench {
  readonly refused: RefusedRow[] = [];
  readonly vectors = new CachedVectors();
  readonly chunks: ChunkRepository;
  readonly documents: DocumentRepository;
  readonly collections: CollectionRepository;
  readonly catalog: GenerationCatalog;
  readonly creator: GenerationCreator;
  readonly store = new FakeVectorStore();
  readonly embedders: FakeEmbedderRegistry;
  private readonly sources = new IndexSourceRegistry();
  private readonly index: DocumentIndexSource;
  private readonly attacher: CollectionAttacher;
  private readonly filler: GenerationFiller;
  readonly relay: IndexRelay;
  private readonly directory: DatabaseIndexDirectory;

  private constructor(
    readonly target: TestDatabase,
    readonly foreign: TestDatabase,
    readonly role: string,
    readonly reader: ReadOnlySource,
    readonly embedder: FakeEmbedder,
  ) {
    const clock = new SystemClock();
    const { unitOfWork, relayUnitOfWork } = target;
    this.embedders = new FakeEmbedderRegistry(embedder);
    this.chunks = new ChunkRepository(unitOfWork);
    this.documents = new DocumentRepository(unitOfWork);
    this.collections = new CollectionRepository(unitOfWork);
    this.index = new DocumentIndexSource(this.chunks);
    this.sources.register(this.index);
    this.catalog = new GenerationCatalog(relayUnitOfWork, clock);
    const ids = new SystemIdGenerator();
    const leases = new SyncLeases(relayUnitOfWork, ids);
    const guard = new RestoreGuard({ unitOfWork: relayUnitOfWork, store: this.store, leases, ids, graceMs: 0, onResumed: () => undefined });
    const comparison = new LocalIndexComparison(relayUnitOfWork, this.store, 100);
    const alias = new ServingAlias(relayUnitOfWork, this.store, 'test');
    this.attacher = new CollectionAttacher(relayUnitOfWork, this.store, this.catalog, comparison, guard, alias);
    this.filler = new GenerationFiller(relayUnitOfWork, clock);
    const planner = new GenerationPlanner(relayUnitOfWork, this.embedders, this.catalog, clock, 'test');
    this.creator = new GenerationCreator(relayUnitOfWork, this.embedders, this.sources, this.catalog, planner, 'test');
    this.relay = new IndexRelay({
      unitOfWork: relayUnitOfWork,
      store: this.store,
      embedders: this.embedders,
      sources: this.sources,
      catalog: this.catalog,
      settings: RELAY_SETTINGS,
      clock,
      ids,
      random: () => 0.5,
    });
    this.directory = new DatabaseIndexDirectory(unitOfWork, this.catalog, this.embedders, this.relay, clock);
  }

  static async create(descriptor: Partial<EmbedderDescriptor> = {}): Promise<PgvectorBench> {
    const [target, foreign] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    // A type of that name stands in for the extension, whose text form is all that is read.
    await foreign.query('CREATE DOMAIN vector AS text');
    await foreign.query('CREATE DOMAIN halfvec AS text');
    await foreign.query(
      'CREATE TABLE dq_embeddings (id uuid, content text, title text, kind text, catalog_id uuid, metadata json, embedding vector, half halfvec)',
    );
    const role = `reader_${randomBytes(6).toString('hex')}`;
    await foreign.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
    await foreign.query(`GRANT SELECT ON dq_embeddings TO ${role}`);
    const url = new URL(foreign.url);
    url.username = role;
    url.password = PASSWORD;
    const bench = new PgvectorBench(target, foreign, role, await ReadOnlySource.open(url.toString()), new FakeEmbedder(descriptor));
    await bench.store.open();
    const { relayUnitOfWork } = target;
    const bootstrap = new GenerationBootstrap(relayUnitOfWork, bench.embedders, bench.sources, bench.catalog, 'test');
    await bootstrap.run();
    await bench.fillAll();
    return bench;
  }

  async close(): Promise<void> {
    this.directory.beforeApplicationShutdown();
    await this.reader.close();
    await this.foreign.query(`DROP OWNED BY ${this.role}`);
    await this.foreign.query(`DROP ROLE ${this.role}`);
    await Promise.all([this.target.close(), this.foreign.close()]);
  }

  /** What the supervisor does: entries and collections of every generation. */
  async fillAll(): Promise<void> {
    this.catalog.invalidate();
    for (const generation of await this.catalog.list()) {
      if (generation.filledAt === null) await this.filler.fill(generation, this.index);
      await this.attacher.attach(generation, this.index);
    }
    this.catalog.invalidate();
  }

  /** Lets the relay write all that is pending. */
  async settle(): Promise<void> {
    for (;;) {
      await this.relay.runOnce();
      const { rows } = await this.target.query(`SELECT 1 FROM index_ledger WHERE state = 'pending' LIMIT 1`);
      if (rows.length === 0) return;
    }
  }

  /** `count` rows with the vectors that the embedder gives to their contents, scaled by 3: a source need not have unit vectors. */
  async putRows(count: number, contentOf: (n: number) => string = (n) => `oak board number ${n} of the catalog`): Promise<void> {
    const contents = Array.from({ length: count }, (_, index) => contentOf(index + 1));
    const embeddings = await this.embedder.embedDocuments(contents);
    this.embedder.resetCalls();
    await this.foreign.query(
      `INSERT INTO dq_embeddings (id, content, title, kind, metadata, embedding)
       SELECT id, content, 'Board', 'product', '{"schema": "shop"}', embedding FROM unnest($1::uuid[], $2::text[], $3::text[]) AS t (id, content, embedding)`,
      [contents.map((_, index) => rowId(index + 1)), contents, embeddings.map(({ vector }) => vectorText(vector))],
    );
  }

  async table(mapping: ColumnMapping = MAPPING, name = 'dq_embeddings'): Promise<PgvectorTable> {
    return PgvectorTable.open(this.reader, name, mapping);
  }

  async run(overrides: RunOverrides = {}): Promise<PgvectorImportResult> {
    const { mapping = MAPPING, isDryRun = false, keepsVectors = true } = overrides;
    const { unitOfWork } = this.target;
    this.refused.length = 0;
    this.catalog.invalidate();
    const declared = { model: this.embedder.descriptor.model, dimensions: this.embedder.dimensions };
    const generations = keepsVectors ? chooseKeptGenerations(await this.catalog.list(), DOCUMENT_SOURCE, declared) : [];
    const table = await this.table(mapping);
    return new PgvectorImport(
      {
        table,
        unitOfWork,
        writer: new DocumentWriter(unitOfWork, this.documents, new DocumentChunker(this.directory)),
        collections: new ImportCollections(this.collections, COLLECTION, keepsVectors, isDryRun),
        checkpoints: new ImportCheckpoints(table.description, COLLECTION, mapping),
        keeper: new VectorKeeper(generations, this.vectors, this.chunks),
      },
      {
        mapping,
        dimensions: keepsVectors ? declared.dimensions : null,
        isDryRun,
        isResumed: overrides.isResumed ?? false,
        batchSize: overrides.batchSize ?? 200,
        signal: overrides.signal ?? new AbortController().signal,
        onProgress: (counts) => overrides.onProgress?.(counts),
        onRefused: (row) => this.refused.push(row),
      },
    ).run();
  }

  async verify(refused: number, mapping = MAPPING, sampleSize = 20): Promise<VerificationReport> {
    const [generation] = await this.catalog.list();
    return new ImportVerification(
      await this.table(mapping),
      this.target.unitOfWork,
      this.documents,
      this.chunks,
      new ImportCollections(this.collections, COLLECTION, true, true),
      this.vectors,
      ({ embedder }) => this.embedders.get(embedder),
    ).run({ generation: generation!, sampleSize, seed: 'a seed', refused });
  }

  /** Everything that an import could change on either side. */
  async state(): Promise<unknown> {
    const count = async (table: string) => (await this.target.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0];
    const tables = ['collections', 'documents', 'chunks', 'embedding_cache', 'index_ledger', 'pgvector_imports'];
    return { source: await this.sourceState(), target: await Promise.all(tables.map(count)) };
  }

  /** Row versions: any update, even one that changes nothing, would show. */
  async sourceState(): Promise<unknown> {
    return (await this.foreign.query('SELECT ctid::text, xmin::text, xmax::text, * FROM dq_embeddings ORDER BY ctid')).rows;
  }

  async externalIds(): Promise<string[]> {
    const { rows } = await this.target.query<{ external_id: string }>('SELECT external_id FROM documents ORDER BY external_id');
    return rows.map(({ external_id }) => external_id);
  }
}

export function rowId(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
}

export function vectorText(vector: Float32Array, scale = 3): string {
  return `[${Array.from(vector, (component) => component * scale).join(',')}]`;
}

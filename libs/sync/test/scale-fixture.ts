import { SystemClock, SystemIdGenerator } from '#kernel';
import type { SqlSession } from '#database';
import { createTestDatabase, FakeEmbedder, FakeEmbedderRegistry, SeededRandom, type TestDatabase } from '#testing';
import type { PayloadIndex, PayloadValue, VectorPoint, VectorStore } from '#vector-store';
import {
  Certificates,
  CollectionAttacher,
  GenerationBootstrap,
  GenerationCatalog,
  GenerationFiller,
  IndexRelay,
  IndexSource,
  IndexSourceRegistry,
  LocalIndexComparison,
  payloadHashOf,
  QuickCheck,
  Reconciler,
  RestoreGuard,
  SyncLeases,
  textHashOf,
  type IndexDocument,
  type IndexGeneration,
} from '../src/index.js';
import { ServingAlias } from '../src/generations/serving-alias.js';
import { storeVectors } from '../src/cache/store-vectors.js';

export const DIMENSIONS = 384;
const BATCH_SIZE = 1_000;
const CLUSTERS = 200;
/** Share of a vector that is its own; the rest is its cluster's. */
const SPREAD = 0.35;
/** Directions that vectors are made of: as good as new ones for each, and a hundred times faster. */
const DIRECTIONS = 2_000;

/** Projects with all the fields that filters read. */
export class ScaleSource extends IndexSource {
  readonly name = 'projects';
  readonly templateRev = 't1';
  readonly payloadIndexes: readonly PayloadIndex[] = [
    { field: 'project_type', type: 'keyword' },
    { field: 'region', type: 'keyword' },
    { field: 'wood_type', type: 'keyword' },
    { field: 'complexity', type: 'integer' },
    { field: 'final_price', type: 'float' },
    { field: 'total_area_sqm', type: 'float' },
  ];

  async load(ids: readonly string[], session: SqlSession): Promise<IndexDocument[]> {
    const { rows } = await session.query<Record<string, string | number | null> & { id: string; name: string; description: string }>(
      'SELECT id, name, description, project_type, region, wood_type, complexity, final_price, total_area_sqm FROM projects WHERE id = ANY($1::uuid[])',
      [ids],
    );
    return rows.map((row) => ({ id: row.id, text: `${row.name}\n${row.description}`, payload: payloadOf(row) }));
  }

  async listIds(after: string | null, limit: number, session: SqlSession): Promise<string[]> {
    const { rows } = await session.query<{ id: string }>('SELECT id FROM projects WHERE $1::uuid IS NULL OR id > $1 ORDER BY id LIMIT $2', [
      after,
      limit,
    ]);
    return rows.map(({ id }) => id);
  }

  async countByBucket(session: SqlSession): Promise<Map<string, number>> {
    const { rows } = await session.query<{ bucket: string; count: number }>(
      'SELECT right(id::text, 2) AS bucket, count(*)::integer AS count FROM projects GROUP BY 1',
    );
    return new Map(rows.map(({ bucket, count }) => [bucket, count]));
  }
}

function payloadOf(row: Record<string, string | number | null>): Record<string, PayloadValue> {
  const number = (value: string | number | null | undefined): number | null =>
    value === null || value === undefined ? null : Number(value);
  return {
    project_type: row['project_type']!,
    region: row['region']!,
    wood_type: row['wood_type']!,
    complexity: number(row['complexity']),
    final_price: number(row['final_price']),
    total_area_sqm: number(row['total_area_sqm']),
  };
}

/** The engine on a real database and a real store, filled with rows whose synthetic vectors are in the cache and in the index already. */
export class ScaleFixture {
  readonly source = new ScaleSource();
  readonly embedder = new FakeEmbedder({ dimensions: DIMENSIONS });
  readonly sources = new IndexSourceRegistry();
  readonly clock = new SystemClock();
  readonly ids = new SystemIdGenerator();
  readonly embedders = new FakeEmbedderRegistry(this.embedder);
  readonly random = new SeededRandom(24);
  generation!: IndexGeneration;
  catalog!: GenerationCatalog;
  relay!: IndexRelay;
  reconciler!: Reconciler;
  quickCheck!: QuickCheck;
  private readonly directions = Array.from({ length: DIRECTIONS }, () => this.direction());

  private constructor(
    readonly database: TestDatabase,
    readonly store: VectorStore,
  ) {}

  static async create(store: VectorStore, rows: number): Promise<ScaleFixture> {
    const fixture = new ScaleFixture(await createTestDatabase(), store);
    await fixture.wire();
    await fixture.fill(rows);
    return fixture;
  }

  async close(): Promise<void> {
    await this.store.drop(this.generation.collection);
    await this.store.close();
    await this.database.close();
  }

  /** Runs the relay until nothing is due. */
  async drain(): Promise<void> {
    while ((await this.relay.runOnce()).claimed > 0);
  }

  /** Writes a point whatever rev is there, as damage or another writer would. */
  async overwrite(points: readonly VectorPoint[]): Promise<void> {
    const { collection } = this.generation;
    for (let start = 0; start < points.length; start += BATCH_SIZE) {
      const part = points.slice(start, start + BATCH_SIZE);
      await this.remove(part.map(({ id }) => id));
      await this.store.upsert(collection, part);
    }
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.store.delete(
      this.generation.collection,
      ids.map((id) => ({ id, rev: Number.MAX_SAFE_INTEGER })),
    );
  }

  private async wire(): Promise<void> {
    const { database, store, sources, clock, ids, embedders } = this;
    const unitOfWork = database.relayUnitOfWork;
    sources.register(this.source);
    await store.open();
    this.catalog = new GenerationCatalog(database.unitOfWork, clock);
    const leases = new SyncLeases(unitOfWork, ids);
    const guard = new RestoreGuard({ unitOfWork, store, leases, ids, graceMs: 0, onResumed: () => this.catalog.invalidate() });
    const settings = { leaseMs: 60_000, writeTimeoutMs: 20_000, graceMs: 0, batchSize: 256, maxAttempts: 10 };
    const random = (): number => this.random.next();
    this.relay = new IndexRelay({ unitOfWork, store, embedders, sources, catalog: this.catalog, settings, clock, ids, random });
    const certificates = new Certificates(database.unitOfWork);
    const shared = { unitOfWork, store, sources, leases, clock, onRepaired: () => undefined };
    this.reconciler = new Reconciler({ ...shared, certificates, ids, random, onAhead: () => undefined });
    this.quickCheck = new QuickCheck({ ...shared, guard });
    const [generation] = await new GenerationBootstrap(unitOfWork, embedders, sources, this.catalog, `scale_${process.pid}`).run();
    this.generation = generation!;
    await new GenerationFiller(unitOfWork, clock).fill(this.generation, this.source);
    const comparison = new LocalIndexComparison(unitOfWork, store);
    await new CollectionAttacher(unitOfWork, store, this.catalog, comparison, guard, new ServingAlias(unitOfWork, store, 'scale')).attach(
      this.generation,
      this.source,
    );
  }

  /** Rows by one statement, then points, vectors and bookkeeping batch by batch: as after a sync, without waiting for one. */
  private async fill(rows: number): Promise<void> {
    await this.database.query(
      `INSERT INTO projects (id, name, description, project_type, region, wood_type, complexity, final_price, total_area_sqm)
       SELECT md5('row ' || n)::uuid, 'Project ' || n, 'Synthetic description of project ' || n || ', long enough to look like one',
         (ARRAY['kitchen', 'stairs', 'windows', 'roof'])[n % 4 + 1], 'region ' || n % 16, CASE WHEN n % 3 = 0 THEN NULL ELSE 'oak' END,
         n % 5 + 1, n * 1.25, n % 300 + 0.5 FROM generate_series(1, $1::integer) n`,
      [rows],
    );
    const { id, collection } = this.generation;
    for (let after: string | null = null; ;) {
      const ids: string[] = await this.source.listIds(after, BATCH_SIZE, this.database.unitOfWork);
      if (ids.length === 0) return;
      after = ids.at(-1)!;
      const documents = await this.source.load(ids, this.database.unitOfWork);
      const { rows: entries } = await this.database.query<{ source_id: string; version: string }>(
        'SELECT source_id, version FROM index_ledger WHERE generation_id = $1 AND source_id = ANY($2::uuid[])',
        [id, ids],
      );
      const versions = new Map(entries.map(({ source_id, version }) => [source_id, Number(version)]));
      const points = documents.map((document) => this.pointOf(document, versions.get(document.id)!));
      await Promise.all([this.store.upsert(collection, points), this.record(points)]);
    }
  }

  private async record(points: readonly VectorPoint[]): Promise<void> {
    const hashes = points.map(({ payload }) => Buffer.from(payload.text_hash, 'hex'));
    await storeVectors(
      this.database.unitOfWork,
      points.map(({ vector }, n) => ({ textHash: hashes[n]!, vector, isTruncated: false })),
    );
    await this.database.query(
      `UPDATE index_ledger l SET state = 'synced', indexed_version = l.version, indexed_hash = h.text_hash, indexed_payload_hash = h.payload_hash, recorded_at = now()
       FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS h (id, text_hash, payload_hash) WHERE l.generation_id = $1 AND l.source_id = h.id`,
      [this.generation.id, points.map(({ id }) => id), hashes, points.map(({ payload }) => Buffer.from(payload.payload_hash, 'hex'))],
    );
  }

  private pointOf({ id, text, payload }: IndexDocument, rev: number): VectorPoint {
    const { modelRev, templateRev } = this.generation;
    const own = {
      rev,
      text_hash: textHashOf(modelRev, templateRev, text).toString('hex'),
      payload_hash: payloadHashOf(payload).toString('hex'),
      model_rev: modelRev,
      bucket: id.slice(-2),
    };
    return { id, vector: this.vector(), payload: { ...payload, ...own } };
  }

  /** Near to one of the clusters, as texts about the same things are. */
  vector(): Float32Array {
    const centre = this.directions[Math.floor(this.random.next() * CLUSTERS)]!;
    const own = this.random.pick(this.directions);
    return unit(centre.map((component, n) => component + SPREAD * own[n]!));
  }

  private direction(): Float32Array {
    return unit(Float32Array.from({ length: DIMENSIONS }, () => this.random.next() + this.random.next() - 1));
  }
}

function unit(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const component of vector) squares += component * component;
  const norm = Math.sqrt(squares);
  return vector.map((component) => component / norm);
}

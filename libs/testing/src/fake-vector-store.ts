import { findVectorDefect, isUuid } from '#kernel';
import {
  VectorStore,
  VectorStoreError,
  type CallOptions,
  type CollectionInfo,
  type CollectionMetadata,
  type CollectionSpec,
  type FencedDelete,
  type PointPayload,
  type RecommendQuery,
  type ScoredPoint,
  type ScrollPage,
  type ScrollRequest,
  type StoredPoint,
  type StoreStatus,
  type VectorFilter,
  type VectorPoint,
  type VectorQuery,
} from '#vector-store';
import { idsOf, matchesFilter } from './fake-vector-filter.js';
import { compareIds } from './qdrant-double/double-collection.js';
import { sipHash24 } from './qdrant-double/sip-hash.js';

interface FakeCollection {
  readonly spec: CollectionSpec;
  metadata: Record<string, string | number | null>;
  readonly points: Map<string, VectorPoint>;
}

/** Name of a method that can be made to fail and whose calls are counted. */
export type FakeVectorStoreMethod =
  | 'upsert'
  | 'delete'
  | 'query'
  | 'queryBatch'
  | 'recommend'
  | 'retrieve'
  | 'info'
  | 'count'
  | 'countByBucket'
  | 'scroll'
  | 'setMetadata'
  | 'setAlias'
  | 'snapshot';

/**
 * A guard of the port that the double can lack, to see the tests of the engine notice it.
 *
 * - `no-upsert-fence`: what comes later is written, however old it is
 * - `insert-only`: a point that is there is never replaced
 * - `no-delete-fence`: deletes whatever is there
 * - `no-upsert`, `no-delete`: answers, and does nothing
 */
export type StoreWeakness = 'no-upsert-fence' | 'insert-only' | 'no-delete-fence' | 'no-upsert' | 'no-delete';

/** Double of a vector store: a map and an exact scan, in this process, at once. It passes the contract of the port. */
export class FakeVectorStore extends VectorStore {
  readonly source = 'local';
  /** Calls per method since the double was made. */
  readonly calls: Partial<Record<FakeVectorStoreMethod, number>> = {};
  private readonly collections = new Map<string, FakeCollection>();
  private readonly aliases = new Map<string, string>();
  private fault: VectorStoreError | null = null;
  private weakness: StoreWeakness | null = null;
  private slices = 1;

  override get parallelSlices(): number {
    return this.slices;
  }

  /** From now on scrolls are read in that many slices, as of a server; 1 = none. */
  sliceScrolls(total: number): void {
    this.slices = total;
  }

  /** Puts a point there past all checks, as another writer might: with any id, without a rev. */
  plant(name: string, id: string, payload: Readonly<Record<string, string | number | boolean | null>>, vector?: Float32Array): void {
    const { points, spec } = this.collection(name);
    const stray = new Float32Array(spec.dimensions).fill(Math.sqrt(1 / spec.dimensions));
    points.set(id, { id, vector: vector ?? stray, payload: payload as PointPayload });
  }

  /** Removes points past all checks, whatever their ids and revs. */
  uproot(name: string, ids: readonly string[]): void {
    const { points } = this.collection(name);
    for (const id of ids) points.delete(id.toLowerCase());
  }

  /** From now on every counted method rejects with the error; `null` heals it. */
  failWith(error: VectorStoreError | null): void {
    this.fault = error;
  }

  /** From now on the double lacks a guard; `null` gives it back. */
  weaken(weakness: StoreWeakness | null): void {
    this.weakness = weakness;
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {}

  async ping(): Promise<StoreStatus> {
    return { source: this.source, version: null, collectionsCount: this.collections.size };
  }

  async listCollections(): Promise<string[]> {
    return [...this.collections.keys()];
  }

  async ensureIndex(spec: CollectionSpec): Promise<boolean> {
    const existing = this.collections.get(spec.name);
    if (existing === undefined) {
      this.collections.set(spec.name, { spec, metadata: withoutNulls(spec.metadata), points: new Map() });
      return true;
    }
    if (existing.spec.dimensions !== spec.dimensions)
      throw new VectorStoreError('dimension-mismatch', `${spec.name} has another dimension`);
    existing.metadata = withoutNulls({ ...existing.metadata, ...spec.metadata });
    return false;
  }

  async upsert(name: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void> {
    const collection = this.enter('upsert', name, options);
    for (const point of points) assertPoint(point, collection.spec.dimensions);
    if (this.weakness === 'no-upsert') return;
    for (const point of points) {
      const id = point.id.toLowerCase();
      const known = collection.points.get(id);
      if (known !== undefined && this.isKept(known, point.payload.rev)) continue;
      collection.points.set(id, { id, vector: point.vector.slice(), payload: { ...point.payload } });
    }
  }

  async delete(name: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void> {
    const { points } = this.enter('delete', name, options);
    assertIds(deletes.map(({ id }) => id));
    if (this.weakness === 'no-delete') return;
    for (const { id, rev } of deletes) {
      const known = points.get(id.toLowerCase());
      if (known !== undefined && (!(known.payload.rev >= rev) || this.weakness === 'no-delete-fence')) points.delete(known.id);
    }
  }

  /** Whether the point is not replaced by content of this rev. */
  private isKept(known: VectorPoint, rev: number): boolean {
    if (this.weakness === 'insert-only') return true;
    return this.weakness !== 'no-upsert-fence' && known.payload.rev !== undefined && known.payload.rev >= rev;
  }

  async query(name: string, query: VectorQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    return search(this.enter('query', name, options), query);
  }

  async queryBatch(name: string, queries: readonly VectorQuery[], options?: CallOptions): Promise<ScoredPoint[][]> {
    const collection = this.enter('queryBatch', name, options);
    return queries.map((query) => search(collection, query));
  }

  async recommend(name: string, { positive, negative = [], ...query }: RecommendQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    const collection = this.enter('recommend', name, options);
    if (positive.length === 0) throw rejected('needs a positive example');
    const examples = [...positive, ...negative].map((id) => id.toLowerCase());
    const mean = (ids: readonly string[]) => meanOf(ids.map((id) => this.vectorOf(collection, id)));
    const towards = mean(positive);
    const away = negative.length === 0 ? towards : mean(negative);
    const filter: VectorFilter = {
      kind: 'and',
      filters: [...(query.filter === undefined ? [] : [query.filter]), { kind: 'not', filter: { kind: 'ids', ids: examples } }],
    };
    return search(collection, { ...query, vector: towards.map((value, index) => 2 * value - away[index]!), filter });
  }

  async scroll(name: string, request: ScrollRequest, options?: CallOptions): Promise<ScrollPage> {
    const { points } = this.enter('scroll', name, options);
    if (request.after !== undefined && !points.has(request.after)) assertIds([request.after]);
    const after = request.after?.toLowerCase() ?? null;
    if (!Number.isInteger(request.limit) || request.limit < 1) throw rejected('bad paging');
    assertIds(idsOf(request.filter));
    if (request.slice !== undefined && this.slices === 1) throw rejected('no slices');
    const isInSlice = sliceOf(request.slice);
    const behind = [...points.values()]
      .filter((point) => (after === null || compareIds(point.id, after) > 0) && isInSlice(point.id) && matchesFilter(point, request.filter))
      .sort((a, b) => compareIds(a.id, b.id));
    const page = behind.slice(0, request.limit);
    return { points: page.map((point) => stored(point, request.hasVectors)), next: behind.length > page.length ? page.at(-1)!.id : null };
  }

  async retrieve(name: string, ids: readonly string[], options?: CallOptions & { readonly hasVectors?: boolean }): Promise<StoredPoint[]> {
    const { points } = this.enter('retrieve', name, options);
    assertIds(ids);
    const wanted = new Set(ids.map((id) => id.toLowerCase()));
    return [...points.values()].filter(({ id }) => wanted.has(id)).map((point) => stored(point, options?.hasVectors));
  }

  async count(name: string, filter?: VectorFilter, options?: CallOptions): Promise<number> {
    const { points } = this.enter('count', name, options);
    assertIds(idsOf(filter));
    return [...points.values()].filter((point) => matchesFilter(point, filter)).length;
  }

  async countByBucket(name: string, options?: CallOptions): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { payload } of this.enter('countByBucket', name, options).points.values())
      if (typeof payload.bucket === 'string') counts.set(payload.bucket, (counts.get(payload.bucket) ?? 0) + 1);
    return counts;
  }

  async info(name: string, options?: CallOptions): Promise<CollectionInfo | null> {
    if (!this.collections.has(name) && this.fault === null) return null;
    const { spec, metadata, points } = this.enter('info', name, options);
    return { dimensions: spec.dimensions, status: 'green', pointsCount: points.size, indexedVectorsCount: 0, metadata: { ...metadata } };
  }

  async setMetadata(name: string, metadata: CollectionMetadata, options?: CallOptions): Promise<void> {
    const collection = this.enter('setMetadata', name, options);
    collection.metadata = withoutNulls({ ...collection.metadata, ...metadata });
  }

  async setAlias(alias: string, name: string, options?: CallOptions): Promise<void> {
    this.enter('setAlias', name, options);
    if (this.collections.has(alias)) throw rejected('a collection has this name');
    this.aliases.set(alias, name);
  }

  async getAlias(alias: string): Promise<string | null> {
    return this.aliases.get(alias) ?? null;
  }

  async snapshot(name: string, options?: CallOptions): Promise<string> {
    this.enter('snapshot', name, options);
    return name;
  }

  async drop(name: string): Promise<boolean> {
    for (const [alias, target] of this.aliases) if (target === name) this.aliases.delete(alias);
    return this.collections.delete(name);
  }

  private enter(method: FakeVectorStoreMethod, name: string, options?: CallOptions): FakeCollection {
    this.calls[method] = (this.calls[method] ?? 0) + 1;
    if (this.fault !== null) throw this.fault;
    if (options?.signal?.aborted === true) throw new VectorStoreError('unavailable', 'aborted', { cause: options.signal.reason });
    return this.collection(name);
  }

  private collection(name: string): FakeCollection {
    const collection = this.collections.get(name);
    if (collection === undefined) throw new VectorStoreError('collection-missing', `No collection ${name}`);
    return collection;
  }

  private vectorOf(collection: FakeCollection, id: string): Float32Array {
    const point = collection.points.get(id.toLowerCase());
    if (point === undefined) throw new VectorStoreError('point-missing', `No point ${id}`);
    return point.vector;
  }
}

function search({ spec, points }: FakeCollection, query: VectorQuery): ScoredPoint[] {
  if (query.vector.length !== spec.dimensions) throw new VectorStoreError('dimension-mismatch', 'The query has another dimension');
  const norm = Math.hypot(...query.vector);
  const { limit, offset = 0, threshold = Number.NEGATIVE_INFINITY } = query;
  if (!Number.isFinite(norm) || norm === 0) throw rejected('the vector has no direction');
  if (!Number.isInteger(limit) || limit < 1 || !Number.isInteger(offset) || offset < 0) throw rejected('bad paging');
  assertIds(idsOf(query.filter));
  return [...points.values()]
    .filter((point) => matchesFilter(point, query.filter))
    .map(({ id, vector }) => ({ id, score: clamp(vector.reduce((sum, value, index) => sum + value * query.vector[index]!, 0) / norm) }))
    .filter(({ score }) => score >= threshold)
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(offset, offset + limit);
}

function sliceOf(slice: ScrollRequest['slice']): (id: string) => boolean {
  if (slice === undefined) return () => true;
  if (slice.index >= slice.total) throw rejected('no such slice');
  return (id) => Number(sipHash24(Buffer.from(id.replaceAll('-', '').padStart(32, '0'), 'hex')) % BigInt(slice.total)) === slice.index;
}

function rejected(reason: string): VectorStoreError {
  return new VectorStoreError('rejected', reason);
}

function assertIds(ids: readonly string[]): void {
  if (!ids.every(isUuid)) throw new VectorStoreError('invalid-point', 'An id is not valid');
}

/** Rounding can carry the product of two unit vectors past 1. */
function clamp(score: number): number {
  return Math.min(1, Math.max(-1, score));
}

function assertPoint({ id, vector, payload }: VectorPoint, dimensions: number): void {
  if (vector.length !== dimensions) throw new VectorStoreError('dimension-mismatch', 'A point has another dimension');
  const isValid = isUuid(id) && findVectorDefect(vector, dimensions) === null && Number.isSafeInteger(payload.rev) && payload.rev > 0;
  if (!isValid) throw new VectorStoreError('invalid-point', 'A point is not valid');
}

function stored({ id, payload, vector }: VectorPoint, hasVectors = false): StoredPoint {
  return { id, payload: { ...payload }, ...(hasVectors ? { vector: vector.slice() } : {}) };
}

function meanOf(vectors: readonly Float32Array[]): Float32Array {
  return vectors[0]!.map((_, index) => vectors.reduce((sum, vector) => sum + vector[index]!, 0) / vectors.length);
}

function withoutNulls(metadata: CollectionMetadata): Record<string, string | number | null> {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null));
}

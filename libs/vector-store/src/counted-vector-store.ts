import type { StoreCalls } from './store-calls.js';
import type { VectorFilter } from './vector-filter.js';
import {
  VectorStore,
  type CallOptions,
  type CollectionInfo,
  type CollectionMetadata,
  type CollectionSpec,
  type FencedDelete,
  type RecommendQuery,
  type ScoredPoint,
  type ScrollPage,
  type ScrollRequest,
  type StoredPoint,
  type StoreStatus,
  type VectorPoint,
  type VectorQuery,
} from './vector-store.js';

/** A store whose calls are counted; it answers as the store behind it does. */
export class CountedVectorStore extends VectorStore {
  constructor(
    private readonly store: VectorStore,
    private readonly calls: StoreCalls,
  ) {
    super();
  }

  get source(): 'local' | 'qdrant' {
    return this.store.source;
  }

  override get parallelSlices(): number {
    return this.store.parallelSlices;
  }

  open(): Promise<void> {
    return this.calls.time('open', undefined, () => this.store.open());
  }

  close(): Promise<void> {
    return this.store.close();
  }

  override onLost(listener: (cause: Error) => void): () => void {
    return this.store.onLost(listener);
  }

  override unprovenRun(options?: CallOptions): Promise<string | null> {
    return this.calls.time('unproven_run', options?.signal, () => this.store.unprovenRun(options));
  }

  ping(options?: CallOptions): Promise<StoreStatus> {
    return this.calls.time('ping', options?.signal, () => this.store.ping(options));
  }

  ensureIndex(spec: CollectionSpec, options?: CallOptions): Promise<boolean> {
    return this.calls.time('ensure_index', options?.signal, () => this.store.ensureIndex(spec, options));
  }

  upsert(collection: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void> {
    return this.calls.time('upsert', options?.signal, () => this.store.upsert(collection, points, options));
  }

  delete(collection: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void> {
    return this.calls.time('delete', options?.signal, () => this.store.delete(collection, deletes, options));
  }

  query(collection: string, query: VectorQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    return this.calls.time('query', options?.signal, () => this.store.query(collection, query, options));
  }

  queryBatch(collection: string, queries: readonly VectorQuery[], options?: CallOptions): Promise<ScoredPoint[][]> {
    return this.calls.time('query_batch', options?.signal, () => this.store.queryBatch(collection, queries, options));
  }

  recommend(collection: string, query: RecommendQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    return this.calls.time('recommend', options?.signal, () => this.store.recommend(collection, query, options));
  }

  scroll(collection: string, request: ScrollRequest, options?: CallOptions): Promise<ScrollPage> {
    return this.calls.time('scroll', options?.signal, () => this.store.scroll(collection, request, options));
  }

  retrieve(collection: string, ids: readonly string[], options?: CallOptions & { readonly hasVectors?: boolean }): Promise<StoredPoint[]> {
    return this.calls.time('retrieve', options?.signal, () => this.store.retrieve(collection, ids, options));
  }

  count(collection: string, filter?: VectorFilter, options?: CallOptions): Promise<number> {
    return this.calls.time('count', options?.signal, () => this.store.count(collection, filter, options));
  }

  countByBucket(collection: string, options?: CallOptions): Promise<Map<string, number>> {
    return this.calls.time('count_by_bucket', options?.signal, () => this.store.countByBucket(collection, options));
  }

  info(collection: string, options?: CallOptions): Promise<CollectionInfo | null> {
    return this.calls.time('info', options?.signal, () => this.store.info(collection, options));
  }

  setMetadata(collection: string, metadata: CollectionMetadata, options?: CallOptions): Promise<void> {
    return this.calls.time('set_metadata', options?.signal, () => this.store.setMetadata(collection, metadata, options));
  }

  setAlias(alias: string, collection: string, options?: CallOptions): Promise<void> {
    return this.calls.time('set_alias', options?.signal, () => this.store.setAlias(alias, collection, options));
  }

  getAlias(alias: string, options?: CallOptions): Promise<string | null> {
    return this.calls.time('get_alias', options?.signal, () => this.store.getAlias(alias, options));
  }

  snapshot(collection: string, options?: CallOptions): Promise<string> {
    return this.calls.time('snapshot', options?.signal, () => this.store.snapshot(collection, options));
  }

  drop(collection: string, options?: CallOptions): Promise<boolean> {
    return this.calls.time('drop', options?.signal, () => this.store.drop(collection, options));
  }
}

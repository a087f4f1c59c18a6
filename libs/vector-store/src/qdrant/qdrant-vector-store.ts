import type { Schemas } from '@qdrant/js-client-rest';
import type { VectorFilter } from '../vector-filter.js';
import {
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
  VectorStore,
} from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';
import { toShortDecimals } from './float32-decimals.js';
import type { QdrantCall } from './qdrant-call.js';
import { ensureCollection, readCollection, toCollectionInfo } from './qdrant-collection.js';
import { QdrantConnection } from './qdrant-connection.js';
import { deleteSelection, upsertFence } from './qdrant-fence.js';
import { toQdrantFilter } from './qdrant-filter.js';
import { toScrollFilter, toScrollOffset } from './qdrant-scroll.js';
import { prepareDeletes, preparePoints, requireUuids, toScoredPoints, toStoredPoint, VECTOR_NAME } from './qdrant-points.js';
import { toQueryRequest } from './qdrant-query.js';
import {
  areRecordsOf,
  areScoredPages,
  isAliasList,
  isCollectionList,
  isCount,
  isExistence,
  isFacet,
  isFlag,
  isNamed,
  isScoredPage,
  isScrollPage,
  isTelemetry,
  isUpdateResult,
} from './qdrant-replies.js';
import type { QdrantVectorStoreOptions } from './qdrant-vector-store-options.js';
import { requireCompleted } from './require-completed.js';
import { MAX_POINTS_PER_REQUEST, splitIntoRequests } from './upsert-batches.js';

/** Ids per read; replies with 384 dimensions stay below 20 MB. */
const MAX_IDS_PER_READ = 1_000;
/** `bucket` has 256 values; more room, because a foreign writer's values must not push real ones out of the reply. */
const MAX_BUCKETS = 4_096;
/** Every slice makes the server look at all ids, so many would cost more than they gain. */
const PARALLEL_SLICES = 4;
/** Copying all files of a collection takes longer than any other call. */
const SNAPSHOT_PATIENCE = 10;

/**
 * Keeps points in a Qdrant server, 1.18 or later (1.19 or later is recommended: see docs/adr/0006-qdrant-adapter.md).
 *
 * Each request is sent once more, at once, when its connection broke; nothing else is retried here. Writes count only when the server reports them completed.
 * Equal scores are returned by ascending id, but which of them make the cut at `limit` is the server's choice.
 */
export class QdrantVectorStore extends VectorStore {
  readonly source = 'qdrant';
  private readonly connection: QdrantConnection;

  /** Known as soon as the server's version is; older servers than 1.19 have no slices. */
  override get parallelSlices(): number {
    return this.connection.hasSlices ? PARALLEL_SLICES : 1;
  }

  /** @throws VectorStoreError `rejected` for an address that cannot be used */
  constructor(options: QdrantVectorStoreOptions) {
    super();
    this.connection = new QdrantConnection(options);
  }

  /**
   * Checks that the server answers and is new enough. After a rejection with `unavailable` the store may be used all the same: the first call that gets through makes the check.
   */
  async open(): Promise<void> {
    await this.ping();
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  async ping(options?: CallOptions): Promise<StoreStatus> {
    return this.search('answer', options, async (call) => {
      const version = await this.connection.checkVersion(call);
      const { collections } = await call.send((api, init) => api.getCollections({}, init), isCollectionList);
      return { source: this.source, version, collectionsCount: collections.length };
    });
  }

  override async unprovenRun(options?: CallOptions): Promise<string | null> {
    return this.administer('say when it was started', options, async (call) => {
      if (!this.connection.replaysConditions) return null;
      const { app } = await call.send((api, init) => api.telemetry({}, init), isTelemetry).catch(withoutTelemetry);
      // The client's types leave the reply open.
      return (app as { startup?: string } | undefined)?.startup ?? null;
    });
  }

  async ensureIndex(spec: CollectionSpec, options?: CallOptions): Promise<boolean> {
    return this.administer('create a collection', options, (call) => ensureCollection(call, spec));
  }

  async upsert(collection: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void> {
    const requests = splitIntoRequests(preparePoints(points));
    await this.write('write points', options, async (call) => {
      // An empty upsert is refused by the server, yet a missing collection is an error even then.
      if (requests.length === 0) await this.requireCollection(call, collection);
      for (const request of requests) await this.upsertRequest(call, collection, request);
    });
  }

  async delete(collection: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void> {
    const prepared = prepareDeletes(deletes);
    await this.write('delete points', options, async (call) => {
      if (prepared.length === 0) await this.requireCollection(call, collection);
      for (const part of chunk(prepared, MAX_POINTS_PER_REQUEST)) {
        const selection = { collection_name: collection, wait: true, filter: deleteSelection(part) };
        requireCompleted(
          await call.send((api, init, timeout) => api.deletePoints({ ...selection, timeout }, init), isUpdateResult),
          'delete points',
        );
      }
    });
  }

  async query(collection: string, query: VectorQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    const request = toQueryRequest(query);
    return this.search('search', options, async (call) => {
      const { points } = await call.send(
        (api, init, timeout) => api.queryPoints({ collection_name: collection, timeout, ...request }, init),
        (result) => isScoredPage(result, query.limit),
      );
      return toScoredPoints(points, query.threshold);
    });
  }

  async queryBatch(collection: string, queries: readonly VectorQuery[], options?: CallOptions): Promise<ScoredPoint[][]> {
    const searches = queries.map(toQueryRequest);
    return this.search('search', options, async (call) => {
      if (searches.length === 0) {
        await this.requireCollection(call, collection);
        return [];
      }
      const limits = queries.map(({ limit }) => limit);
      const replies = await call.send(
        (api, init, timeout) => api.queryBatchPoints({ collection_name: collection, timeout, searches }, init),
        (results) => areScoredPages(results, limits),
      );
      return replies.map(({ points }, position) => toScoredPoints(points, queries[position]?.threshold));
    });
  }

  async recommend(collection: string, query: RecommendQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    const request = toQueryRequest(query);
    return this.search('recommend', options, async (call) => {
      const { points } = await call.send(
        (api, init, timeout) => api.queryPoints({ collection_name: collection, timeout, ...request }, init),
        (result) => isScoredPage(result, query.limit),
      );
      return toScoredPoints(points, query.threshold);
    });
  }

  async scroll(collection: string, request: ScrollRequest, options?: CallOptions): Promise<ScrollPage> {
    const offset = toScrollOffset(request.after);
    const filter = toScrollFilter(request);
    return this.write('read a page of points', options, async (call) => {
      if (request.slice !== undefined && !this.connection.hasSlices)
        throw new VectorStoreError('rejected', 'This server reads no slices; Qdrant 1.19 or later does');
      if (offset === null) {
        await this.requireCollection(call, collection);
        return { points: [], next: null };
      }
      const page = {
        collection_name: collection,
        limit: request.limit,
        offset,
        filter,
        with_payload: true,
        with_vector: vectorSelection(request.hasVectors),
      };
      const reply = await call.send(
        (api, init, timeout) => api.scrollPoints({ ...page, timeout }, init),
        (result) => isScrollPage(result, request.limit),
      );
      const points = reply.points.map(toStoredPoint);
      const hasMore = reply.next_page_offset !== undefined && reply.next_page_offset !== null;
      return { points, next: hasMore ? (points.at(-1)?.id ?? null) : null };
    });
  }

  async retrieve(
    collection: string,
    ids: readonly string[],
    options?: CallOptions & { readonly hasVectors?: boolean },
  ): Promise<StoredPoint[]> {
    requireUuids(ids);
    const unique = [...new Set(ids.map((id) => id.toLowerCase()))];
    return this.write('read points', options, async (call) => {
      if (unique.length === 0) await this.requireCollection(call, collection);
      const points: StoredPoint[] = [];
      for (const part of chunk(unique, MAX_IDS_PER_READ)) {
        const selection = { collection_name: collection, ids: part, with_payload: true, with_vector: vectorSelection(options?.hasVectors) };
        const records = await call.send(
          (api, init, timeout) => api.getPoints({ ...selection, timeout }, init),
          (result) => areRecordsOf(result, part),
        );
        points.push(...records.map(toStoredPoint));
      }
      return points;
    });
  }

  async count(collection: string, filter?: VectorFilter, options?: CallOptions): Promise<number> {
    const selection = { collection_name: collection, filter: toQdrantFilter(filter), exact: true };
    return this.write('count points', options, async (call) => {
      const { count } = await call.send((api, init, timeout) => api.countPoints({ ...selection, timeout }, init), isCount);
      return count;
    });
  }

  async countByBucket(collection: string, options?: CallOptions): Promise<Map<string, number>> {
    const facet = { collection_name: collection, key: 'bucket', limit: MAX_BUCKETS, exact: true };
    return this.write('count points by bucket', options, async (call) => {
      const { hits } = await call.send((api, init, timeout) => api.facet({ ...facet, timeout }, init), isFacet);
      // Values that once occurred are listed with count 0.
      return new Map(hits.filter(({ count }) => count > 0).map(({ value, count }) => [String(value), count]));
    });
  }

  async info(collection: string, options?: CallOptions): Promise<CollectionInfo | null> {
    return this.search('describe a collection', options, async (call) => {
      const found = await readCollection(call, collection);
      return found === null ? null : toCollectionInfo(found);
    });
  }

  async setMetadata(collection: string, metadata: CollectionMetadata, options?: CallOptions): Promise<void> {
    const payload = { collection_name: collection, metadata: { ...metadata } };
    await this.administer('write metadata', options, (call) =>
      call.send((api, init, timeout) => api.updateCollection({ ...payload, timeout }, init), isFlag),
    );
  }

  async setAlias(alias: string, collection: string, options?: CallOptions): Promise<void> {
    // Nothing but this one action: a list is not undone when its second half fails, and creating re-points an alias that exists.
    const actions = [{ create_alias: { alias_name: alias, collection_name: collection } }];
    await this.administer('set an alias', options, async (call) => {
      await this.requireCollection(call, collection);
      await call.send((api, init, timeout) => api.updateAliases({ actions, timeout }, init), isFlag);
    });
  }

  async getAlias(alias: string, options?: CallOptions): Promise<string | null> {
    return this.search('read aliases', options, async (call) => {
      const { aliases } = await call.send((api, init) => api.getCollectionsAliases({}, init), isAliasList);
      return aliases.find(({ alias_name: name }) => name === alias)?.collection_name ?? null;
    });
  }

  async snapshot(collection: string, options?: CallOptions): Promise<string> {
    const plan = { lane: 'admin', action: 'take a snapshot', options, patience: SNAPSHOT_PATIENCE } as const;
    return this.connection.run(plan, async (call) => {
      const { name } = await call.send((api, init) => api.createSnapshot({ collection_name: collection, wait: true }, init), isNamed);
      return name;
    });
  }

  /** Takes physical names only; an alias is as good as absent. */
  async drop(collection: string, options?: CallOptions): Promise<boolean> {
    return this.administer('drop a collection', options, (call) =>
      call.send((api, init, timeout) => api.deleteCollection({ collection_name: collection, timeout }, init), isFlag),
    );
  }

  private async upsertRequest(call: QdrantCall, collection: string, points: readonly VectorPoint[]): Promise<void> {
    const body = {
      collection_name: collection,
      wait: true,
      points: points.map(({ id, vector, payload }) => ({
        id,
        vector: { [VECTOR_NAME]: toShortDecimals(vector) },
        payload: { ...payload },
      })),
      update_filter: upsertFence(points),
    };
    requireCompleted(await call.send((api, init, timeout) => api.upsertPoints({ ...body, timeout }, init), isUpdateResult), 'write points');
  }

  private async requireCollection(call: QdrantCall, collection: string): Promise<void> {
    const { exists } = await call.send((api, init) => api.collectionExists({ collection_name: collection }, init), isExistence);
    if (!exists) throw new VectorStoreError('collection-missing', `There is no collection ${collection}`);
  }

  private search<T>(action: string, options: CallOptions | undefined, work: (call: QdrantCall) => Promise<T>): Promise<T> {
    return this.connection.run({ lane: 'search', action, options }, work);
  }

  /** Writes, and the reads that prove them: neither may hold up a search. */
  private write<T>(action: string, options: CallOptions | undefined, work: (call: QdrantCall) => Promise<T>): Promise<T> {
    return this.connection.run({ lane: 'write', action, options }, work);
  }

  private administer<T>(action: string, options: CallOptions | undefined, work: (call: QdrantCall) => Promise<T>): Promise<T> {
    return this.connection.run({ lane: 'admin', action, options }, work);
  }
}

function vectorSelection(hasVectors: boolean | undefined): Schemas['WithVector'] {
  return hasVectors === true ? [VECTOR_NAME] : false;
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += size) chunks.push(items.slice(start, start + size));
  return chunks;
}

/** Telemetry takes a key for the whole server; with a lesser one the runs cannot be told apart. */
function withoutTelemetry(error: unknown): { readonly app?: undefined } {
  if (error instanceof VectorStoreError && error.kind === 'rejected') return {};
  throw error;
}

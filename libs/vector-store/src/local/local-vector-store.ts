import { Logger } from '@nestjs/common';
import type { VectorFilter } from '../vector-filter.js';
import { VectorStoreError } from '../vector-store-error.js';
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
} from '../vector-store.js';
import type { PackedPoints, PackedStoredPoints } from './local-collection.js';
import { resolveLocalOptions, type LocalVectorStoreOptions, type ResolvedLocalOptions } from './local-vector-store-options.js';
import { SearchThread, unavailable } from './search-thread.js';
import type { WorkerOperation, WorkerOperations } from './worker-messages.js';

/**
 * Keeps points in memory, in a search thread of its own, and snapshots of them on disk.
 *
 * Snapshots are never the truth: after {@link open}, and again after {@link onLost}, every point must be compared with the ledger.
 */
export class LocalVectorStore extends VectorStore {
  readonly source = 'local';
  private readonly logger = new Logger('LocalVectorStore');
  private readonly options: ResolvedLocalOptions;
  private readonly lostListeners = new Set<(cause: Error) => void>();
  private thread: SearchThread | null = null;
  private opening: Promise<void> | null = null;

  constructor(options: LocalVectorStoreOptions) {
    super();
    this.options = resolveLocalOptions(options);
  }

  /** Starts the search thread and loads the snapshots that are whole. After a loss it starts anew from the last snapshots. */
  open(): Promise<void> {
    this.opening ??= this.start().catch((error: unknown) => {
      this.opening = null;
      throw error;
    });
    return this.opening;
  }

  /** Writes what has changed and ends the thread. A snapshot that fails is logged, not thrown: the ledger can restore every point. */
  async close(): Promise<void> {
    // Closing while it opens would leave the thread behind.
    await this.opening?.catch(() => undefined);
    const { thread } = this;
    this.thread = null;
    this.opening = null;
    if (thread === null) return;
    try {
      await thread.close(this.options.closeTimeoutMs);
    } catch (error) {
      this.logger.warn(`The last snapshots were not written: ${String(error)}`);
    }
  }

  override onLost(listener: (cause: Error) => void): () => void {
    this.lostListeners.add(listener);
    return () => this.lostListeners.delete(listener);
  }

  async ping(options?: CallOptions): Promise<StoreStatus> {
    const { collectionsCount } = await this.read('ping', null, options);
    return { source: this.source, version: null, collectionsCount };
  }

  /** The names of all collections, in no particular order. */
  listCollections(options?: CallOptions): Promise<string[]> {
    return this.read('listCollections', null, options);
  }

  ensureIndex(spec: CollectionSpec, options?: CallOptions): Promise<boolean> {
    return this.write('ensureIndex', spec, options);
  }

  async upsert(collection: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void> {
    if (points.length === 0) return;
    const packed = packPoints(points);
    await this.write('upsert', { collection, points: packed }, options, [packed.vectors.buffer as ArrayBuffer]);
  }

  async delete(collection: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void> {
    if (deletes.length > 0) await this.write('delete', { collection, deletes }, options);
  }

  async query(collection: string, query: VectorQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    const [points] = await this.queryBatch(collection, [query], options);
    return points!;
  }

  async queryBatch(collection: string, queries: readonly VectorQuery[], options?: CallOptions): Promise<ScoredPoint[][]> {
    if (queries.length === 0) return [];
    // Transferred copies: the caller keeps its vectors, and a vector that is part of a larger buffer does not drag that along.
    const copies = queries.map((query) => ({ ...query, vector: query.vector.slice() }));
    const transfer = copies.map(({ vector }) => vector.buffer);
    return this.read('query', { collection, queries: copies }, options, transfer);
  }

  recommend(collection: string, query: RecommendQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    return this.read('recommend', { collection, query }, options);
  }

  async scroll(collection: string, request: ScrollRequest, options?: CallOptions): Promise<ScrollPage> {
    if (request.slice !== undefined) throw new VectorStoreError('rejected', 'The local store reads no slices');
    const { points, next } = await this.read('scroll', { collection, request }, options);
    return { points: unpackPoints(points), next };
  }

  async retrieve(
    collection: string,
    ids: readonly string[],
    { hasVectors = false, ...options }: CallOptions & { readonly hasVectors?: boolean } = {},
  ): Promise<StoredPoint[]> {
    if (ids.length === 0) return [];
    return unpackPoints(await this.read('retrieve', { collection, ids, hasVectors }, options));
  }

  count(collection: string, filter?: VectorFilter, options?: CallOptions): Promise<number> {
    return this.read('count', { collection, filter }, options);
  }

  countByBucket(collection: string, options?: CallOptions): Promise<Map<string, number>> {
    return this.read('countByBucket', { collection }, options);
  }

  info(collection: string, options?: CallOptions): Promise<CollectionInfo | null> {
    return this.read('info', { collection }, options);
  }

  async setMetadata(collection: string, metadata: CollectionMetadata, options?: CallOptions): Promise<void> {
    await this.write('setMetadata', { collection, metadata }, options);
  }

  async setAlias(alias: string, collection: string, options?: CallOptions): Promise<void> {
    await this.write('setAlias', { alias, collection }, options);
  }

  getAlias(alias: string, options?: CallOptions): Promise<string | null> {
    return this.read('getAlias', { alias }, options);
  }

  /** Returns the name of the file in the snapshot folder. */
  snapshot(collection: string, options?: CallOptions): Promise<string> {
    return this.call('snapshot', { collection }, this.options.snapshotTimeoutMs, options);
  }

  drop(collection: string, options?: CallOptions): Promise<boolean> {
    return this.write('drop', { collection }, options);
  }

  private async start(): Promise<void> {
    const { folder, exactLimit, snapshotIntervalMs, openTimeoutMs } = this.options;
    const thread: SearchThread = new SearchThread(
      { folder, exactLimit, snapshotIntervalMs },
      {
        onDeath: (cause) => this.lose(thread, cause),
        onSnapshotFailed: (collection, message) => this.logger.error(`The snapshot of ${collection} could not be written: ${message}`),
      },
    );
    try {
      const { loaded, damaged } = await thread.call('load', null, { timeoutMs: openTimeoutMs });
      for (const { collection, points } of loaded) this.logger.log(`Loaded ${points} points of ${collection} from its snapshot`);
      for (const { file, reason } of damaged) this.logger.warn(`Set the file ${file} aside: ${reason}`);
    } catch (error) {
      await thread.terminate();
      throw error;
    }
    this.thread = thread;
  }

  private lose(thread: SearchThread, cause: Error): void {
    // A thread that dies while it loads is reported by open() itself.
    if (this.thread !== thread) return;
    this.thread = null;
    this.opening = null;
    this.logger.error(
      `The search thread died; points since the last snapshots are gone until they are compared with the ledger: ${cause.message}`,
    );
    for (const listener of this.lostListeners) listener(cause);
  }

  private read<Operation extends WorkerOperation>(
    operation: Operation,
    args: WorkerOperations[Operation]['args'],
    options?: CallOptions,
    transfer: ArrayBuffer[] = [],
  ): Promise<WorkerOperations[Operation]['result']> {
    return this.call(operation, args, this.options.searchTimeoutMs, options, transfer);
  }

  private write<Operation extends WorkerOperation>(
    operation: Operation,
    args: WorkerOperations[Operation]['args'],
    options?: CallOptions,
    transfer: ArrayBuffer[] = [],
  ): Promise<WorkerOperations[Operation]['result']> {
    return this.call(operation, args, this.options.writeTimeoutMs, options, transfer);
  }

  private call<Operation extends WorkerOperation>(
    operation: Operation,
    args: WorkerOperations[Operation]['args'],
    timeoutMs: number,
    options?: CallOptions,
    transfer: ArrayBuffer[] = [],
  ): Promise<WorkerOperations[Operation]['result']> {
    if (this.thread === null) return Promise.reject(unavailable('The local vector store is not open'));
    return this.thread.call(operation, args, { timeoutMs: options?.timeoutMs ?? timeoutMs, signal: options?.signal }, transfer);
  }
}

function packPoints(points: readonly VectorPoint[]): PackedPoints {
  const dimensions = points[0]!.vector.length;
  const vectors = new Float32Array(points.length * dimensions);
  points.forEach(({ vector }, index) => {
    // One array holds them all, so vectors of several lengths cannot even be sent; one of them is wrong in any collection.
    if (vector.length !== dimensions) throw new VectorStoreError('dimension-mismatch', 'The vectors of one call have different dimensions');
    vectors.set(vector, index * dimensions);
  });
  return { ids: points.map(({ id }) => id), payloads: points.map(({ payload }) => payload), vectors };
}

function unpackPoints({ ids, payloads, vectors }: PackedStoredPoints): StoredPoint[] {
  const dimensions = vectors === null ? 0 : vectors.length / ids.length;
  return ids.map((id, index) => {
    const point = { id, payload: payloads[index]! };
    return vectors === null ? point : { ...point, vector: vectors.slice(index * dimensions, (index + 1) * dimensions) };
  });
}

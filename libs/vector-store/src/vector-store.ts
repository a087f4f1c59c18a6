import type { VectorFilter } from './vector-filter.js';

export type PayloadValue = string | number | boolean | null;

/** What every point carries, beside the fields that filters read. */
export interface PointPayload {
  /** Ledger version of the content; writes are fenced by it. A safe integer above 0. */
  readonly rev: number;
  /** Hex SHA-256 of model, template and rendered text. */
  readonly text_hash: string;
  /** Hex SHA-256 of the filter fields. */
  readonly payload_hash: string;
  readonly model_rev: string;
  /** The last byte of the id, two hex digits: spreads points evenly over 256 buckets for comparisons. */
  readonly bucket: string;
  readonly [field: string]: PayloadValue;
}

export interface VectorPoint {
  /** A hyphenated UUID; stored and returned in lower case. */
  readonly id: string;
  /** L2-normalised, of the collection's dimension. */
  readonly vector: Float32Array;
  readonly payload: PointPayload;
}

export interface ScoredPoint {
  readonly id: string;
  /** Cosine similarity, -1 to 1. */
  readonly score: number;
}

export interface StoredPoint {
  readonly id: string;
  readonly payload: PointPayload;
  /** Present when asked for. */
  readonly vector?: Float32Array;
}

/** A delete that only removes content older than `rev`. */
export interface FencedDelete {
  readonly id: string;
  readonly rev: number;
}

export interface PayloadIndex {
  readonly field: string;
  readonly type: 'keyword' | 'integer' | 'float';
}

export type CollectionMetadata = Readonly<Record<string, string | number | null>>;

export interface CollectionSpec {
  readonly name: string;
  readonly dimensions: number;
  /** Fields that filters read; created before the first point. `rev` (integer) and `bucket` (keyword) are always indexed as well. */
  readonly payloadIndexes: readonly PayloadIndex[];
  readonly metadata: CollectionMetadata;
}

export interface CollectionInfo {
  readonly dimensions: number;
  readonly status: 'green' | 'yellow' | 'grey' | 'red';
  /** May be approximate; {@link VectorStore.count} is exact. */
  readonly pointsCount: number;
  /** Points that an approximate index covers; the rest is scanned. */
  readonly indexedVectorsCount: number;
  readonly metadata: CollectionMetadata;
}

export interface CallOptions {
  /** Gives up on the call, which rejects with `unavailable`; the effect of a write is then unknown. */
  readonly signal?: AbortSignal;
  /** Budget of the call in milliseconds. Default: the adapter's own for the kind of call. */
  readonly timeoutMs?: number;
}

export interface VectorQuery {
  /** Of the collection's dimension, finite and not zero; its length does not matter. */
  readonly vector: Float32Array;
  /** 1 or more. */
  readonly limit: number;
  /** Skips the best `offset` points. Default 0. */
  readonly offset?: number;
  /** Keeps scores >= threshold. Default: none. */
  readonly threshold?: number;
  readonly filter?: VectorFilter;
}

export interface RecommendQuery extends Omit<VectorQuery, 'vector'> {
  /** At least one. */
  readonly positive: readonly string[];
  readonly negative?: readonly string[];
}

export interface ScrollRequest {
  /** Continues behind this id (exclusive). */
  readonly after?: string;
  readonly limit: number;
  readonly filter?: VectorFilter;
  readonly hasVectors?: boolean;
  /** Only one of `total` parts of about equal size, by a hash of the id; `index` from 0. For stores with {@link VectorStore.parallelSlices} above 1. */
  readonly slice?: { readonly total: number; readonly index: number };
}

export interface ScrollPage {
  /** In ascending byte order of the UUID, which is PostgreSQL's order of `uuid`. */
  readonly points: StoredPoint[];
  /** Pass as `after` for the next page; `null` at the end. */
  readonly next: string | null;
}

export interface StoreStatus {
  /** Which adapter answers; shown as `source` in search replies. */
  readonly source: 'local' | 'qdrant';
  readonly version: string | null;
  readonly collectionsCount: number;
}

/**
 * Holds points and finds the nearest ones. Collections are addressed by their physical name.
 *
 * Errors of all methods: {@link VectorStoreError}; its `kind` says whether waiting helps. A missing collection is `collection-missing`, except in
 * {@link ensureIndex} and {@link drop}. All writes are idempotent, and whole: when a write rejects, any part of it may have been applied.
 */
export abstract class VectorStore {
  abstract readonly source: 'local' | 'qdrant';

  /** How many slices of a scroll are worth reading side by side; 1 = the store has no slices, and refuses them as `rejected`. */
  get parallelSlices(): number {
    return 1;
  }

  /** Opens the store (loads snapshots, checks the server's version). Idempotent. */
  abstract open(): Promise<void>;

  /** Persists what is in memory and lets go of threads and sockets. Idempotent. */
  abstract close(): Promise<void>;

  /**
   * Calls the listener when the store has lost points that it had acknowledged, and can say so. From then on calls reject with `unavailable` until
   * {@link open} is called again; what it loads must be compared with the ledger. Returns a function that ends the subscription.
   *
   * Default: never called; a server that keeps its own points loses none that this process could know of.
   */
  onLost(_listener: (cause: Error) => void): () => void {
    return () => undefined;
  }

  /**
   * Names the present run of a server that may undo, whenever it starts, what it had acknowledged before: what was proven in another run is to be proven
   * again. `null`: the store keeps its word, or cannot tell its runs apart.
   *
   * Default: null.
   */
  unprovenRun(_options?: CallOptions): Promise<string | null> {
    return Promise.resolve(null);
  }

  /** Asks the store for a sign of life, past every cache. */
  abstract ping(options?: CallOptions): Promise<StoreStatus>;

  /**
   * Creates the collection with its payload indexes, or completes one that exists. Returns whether it was created.
   *
   * @throws VectorStoreError `dimension-mismatch` when it exists with another dimension; it is never overwritten
   */
  abstract ensureIndex(spec: CollectionSpec, options?: CallOptions): Promise<boolean>;

  /**
   * Writes whole points, each fenced by its own `payload.rev`: a point that exists with the same or a higher rev stays as it is, silently; one that
   * exists without rev, or does not exist, is written. Of equal ids in one call the highest rev wins. Resolves only when the points can be searched.
   *
   * @throws VectorStoreError `invalid-point` for a bad id, a vector that is not finite and of norm 1, or a rev that is no safe integer above 0; `dimension-mismatch`. Then nothing of the call is written.
   */
  abstract upsert(collection: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void>;

  /**
   * Deletes each point whose rev is lower than the one given; absent ids are no error.
   *
   * @throws VectorStoreError `invalid-point` for a bad id; then nothing of the call is deleted
   */
  abstract delete(collection: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void>;

  /**
   * Returns the best points by cosine, in descending order, ties by ascending id. Which of several equal points the limit cuts off is not promised.
   *
   * @throws VectorStoreError `dimension-mismatch`; `rejected` for a query vector that is zero or not finite, and for a bad limit or offset
   */
  abstract query(collection: string, query: VectorQuery, options?: CallOptions): Promise<ScoredPoint[]>;

  /** Answers several queries in one call, in their order; one bad query fails the call. */
  abstract queryBatch(collection: string, queries: readonly VectorQuery[], options?: CallOptions): Promise<ScoredPoint[][]>;

  /**
   * Returns the points nearest to 2 x mean(positive) - mean(negative), or mean(positive) without negatives; the examples themselves are left out.
   *
   * @throws VectorStoreError `point-missing` when an example is unknown; `rejected` without a positive example
   */
  abstract recommend(collection: string, query: RecommendQuery, options?: CallOptions): Promise<ScoredPoint[]>;

  abstract scroll(collection: string, request: ScrollRequest, options?: CallOptions): Promise<ScrollPage>;

  /** Returns those of the points that exist, in no particular order. */
  abstract retrieve(
    collection: string,
    ids: readonly string[],
    options?: CallOptions & { readonly hasVectors?: boolean },
  ): Promise<StoredPoint[]>;

  /** Counts exactly. */
  abstract count(collection: string, filter?: VectorFilter, options?: CallOptions): Promise<number>;

  /** Counts exactly per `bucket`; buckets without points are absent. */
  abstract countByBucket(collection: string, options?: CallOptions): Promise<Map<string, number>>;

  /** Describes the collection, or `null` when there is none. */
  abstract info(collection: string, options?: CallOptions): Promise<CollectionInfo | null>;

  /** Merges into the collection's metadata; `null` removes a key. */
  abstract setMetadata(collection: string, metadata: CollectionMetadata, options?: CallOptions): Promise<void>;

  /** Points the alias at the collection, in one step when it already points elsewhere. An alias named like a collection is `rejected`. */
  abstract setAlias(alias: string, collection: string, options?: CallOptions): Promise<void>;

  /** The collection that the alias names, or `null`. */
  abstract getAlias(alias: string, options?: CallOptions): Promise<string | null>;

  /** Persists the collection as it is now; a snapshot only shortens recovery. Returns its name. */
  abstract snapshot(collection: string, options?: CallOptions): Promise<string>;

  /** Removes the collection with all its points and the aliases that point at it. Returns whether there was one; an alias is not one. */
  abstract drop(collection: string, options?: CallOptions): Promise<boolean>;
}

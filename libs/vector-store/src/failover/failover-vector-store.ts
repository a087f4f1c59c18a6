import { RepeatedMessages, type Clock } from '#kernel';
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
import { FailoverCounters, type BreakerState } from './failover-counters.js';
import { isOutage, SearchBreaker } from './search-breaker.js';
import type { SearchReplica } from './search-replica.js';
import type { Answered, SearchStore, SearchStoreStatus } from './search-store.js';
import { ShadowSearches } from './shadow-searches.js';

/**
 * How long a search waits for the probe that it is, when a copy can answer: many times what a healthy index needs. The probe goes on without it.
 */
const PROBE_PATIENCE_MS = 250;

export interface FailoverOptions {
  readonly primary: VectorStore;
  /** `null` = no copy: searches fail while the primary is away, at once while the breaker is open. */
  readonly replica: SearchReplica | null;
  /** Budget of one search in the primary, milliseconds. */
  readonly searchTimeoutMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1): decides which searches are compared. */
  readonly random: () => number;
}

/**
 * A remote store with a copy of it in this process: searches survive that the store is away, and say so.
 *
 * Only `query`, `queryBatch` and `recommend` ever leave the primary, and only {@link answer} can say that they did, so features use that. Writes, and
 * reads that prove or compare, go to the primary alone, past the breaker: what the copy says would prove nothing.
 */
export class FailoverVectorStore extends VectorStore implements SearchStore {
  readonly source: 'local' | 'qdrant';
  readonly counters = new FailoverCounters();
  private readonly logger = new Logger('FailoverVectorStore');
  private readonly messages: RepeatedMessages;
  private readonly primary: VectorStore;
  private readonly replica: SearchReplica | null;
  private readonly breaker: SearchBreaker;
  private readonly shadows: ShadowSearches | null;

  constructor({ primary, replica, searchTimeoutMs, clock, random }: FailoverOptions) {
    super();
    this.source = primary.source;
    this.primary = primary;
    this.replica = replica;
    this.messages = new RepeatedMessages(clock);
    this.breaker = new SearchBreaker(clock, searchTimeoutMs, (state) => this.onBreaker(state));
    this.shadows = replica === null ? null : new ShadowSearches(replica.store, this.counters, random);
  }

  async answer<T>(collection: string, call: (store: VectorStore) => Promise<T>): Promise<Answered<T>> {
    const attempt = this.breaker.tryRun(() => call(this.primary));
    if (attempt === null) return this.answerFromReplica(collection, call, this.heldBack());
    try {
      const isPatient = !attempt.isProbe || this.replica?.canAnswer(collection) !== true;
      const value = await (isPatient ? attempt.result : beforePatienceEnds(attempt.result));
      this.counters.searches[this.source]++;
      if (this.replica?.canAnswer(collection) === true) this.shadows?.consider(call, value);
      return { value, isDegraded: false, source: this.source, indexAgeSeconds: null };
    } catch (error) {
      // A missing collection is being built again, while the copy still has it; that the store says so shows that it answers.
      if (!isOutage(error) && !(error instanceof VectorStoreError && error.kind === 'collection-missing')) throw error;
      this.observeFailure(error);
      return this.answerFromReplica(collection, call, error);
    }
  }

  status(): SearchStoreStatus {
    return { breaker: this.counters.breaker, replicas: this.replica?.status() ?? [] };
  }

  async query(collection: string, query: VectorQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    return this.search(collection, options?.signal, (store) => store.query(collection, query, options));
  }

  async queryBatch(collection: string, queries: readonly VectorQuery[], options?: CallOptions): Promise<ScoredPoint[][]> {
    return this.search(collection, options?.signal, (store) => store.queryBatch(collection, queries, options));
  }

  async recommend(collection: string, query: RecommendQuery, options?: CallOptions): Promise<ScoredPoint[]> {
    return this.search(collection, options?.signal, (store) => store.recommend(collection, query, options));
  }

  override get parallelSlices(): number {
    return this.primary.parallelSlices;
  }

  open(): Promise<void> {
    return this.primary.open();
  }

  close(): Promise<void> {
    return this.primary.close();
  }

  override onLost(listener: (cause: Error) => void): () => void {
    return this.primary.onLost(listener);
  }

  override unprovenRun(options?: CallOptions): Promise<string | null> {
    return this.primary.unprovenRun(options);
  }

  ping(options?: CallOptions): Promise<StoreStatus> {
    return this.primary.ping(options);
  }

  ensureIndex(spec: CollectionSpec, options?: CallOptions): Promise<boolean> {
    return this.primary.ensureIndex(spec, options);
  }

  upsert(collection: string, points: readonly VectorPoint[], options?: CallOptions): Promise<void> {
    return this.primary.upsert(collection, points, options);
  }

  delete(collection: string, deletes: readonly FencedDelete[], options?: CallOptions): Promise<void> {
    return this.primary.delete(collection, deletes, options);
  }

  scroll(collection: string, request: ScrollRequest, options?: CallOptions): Promise<ScrollPage> {
    return this.primary.scroll(collection, request, options);
  }

  retrieve(collection: string, ids: readonly string[], options?: CallOptions & { readonly hasVectors?: boolean }): Promise<StoredPoint[]> {
    return this.primary.retrieve(collection, ids, options);
  }

  count(collection: string, filter?: VectorFilter, options?: CallOptions): Promise<number> {
    return this.primary.count(collection, filter, options);
  }

  countByBucket(collection: string, options?: CallOptions): Promise<Map<string, number>> {
    return this.primary.countByBucket(collection, options);
  }

  info(collection: string, options?: CallOptions): Promise<CollectionInfo | null> {
    return this.primary.info(collection, options);
  }

  setMetadata(collection: string, metadata: CollectionMetadata, options?: CallOptions): Promise<void> {
    return this.primary.setMetadata(collection, metadata, options);
  }

  setAlias(alias: string, collection: string, options?: CallOptions): Promise<void> {
    return this.primary.setAlias(alias, collection, options);
  }

  getAlias(alias: string, options?: CallOptions): Promise<string | null> {
    return this.primary.getAlias(alias, options);
  }

  snapshot(collection: string, options?: CallOptions): Promise<string> {
    return this.primary.snapshot(collection, options);
  }

  drop(collection: string, options?: CallOptions): Promise<boolean> {
    return this.primary.drop(collection, options);
  }

  private async search<T>(collection: string, signal: AbortSignal | undefined, call: (store: VectorStore) => Promise<T>): Promise<T> {
    try {
      const abandonable = async (store: VectorStore): Promise<T> => {
        try {
          return await call(store);
        } catch (error) {
          throw signal?.aborted === true ? new AbandonedCall(error) : error;
        }
      };
      return (await this.answer(collection, abandonable)).value;
    } catch (error) {
      throw error instanceof AbandonedCall ? error.error : error;
    }
  }

  /** @throws VectorStoreError `cause` when there is no copy, or it is away as well */
  private async answerFromReplica<T>(
    collection: string,
    call: (store: VectorStore) => Promise<T>,
    cause: VectorStoreError,
  ): Promise<Answered<T>> {
    const { replica } = this;
    if (replica?.canAnswer(collection) !== true) {
      this.counters.unanswered++;
      throw cause;
    }
    try {
      const value = await call(replica.store);
      this.counters.searches.local++;
      this.counters.degraded++;
      // What it was before the loss of a copy that has been lost meanwhile is not known any more; then it is as old as can be said: not at all.
      return { value, isDegraded: true, source: 'local', indexAgeSeconds: replica.ageSeconds(collection) };
    } catch (error) {
      this.counters.unanswered++;
      throw isOutage(error) ? cause : error;
    }
  }

  private heldBack(): VectorStoreError {
    return new VectorStoreError('unavailable', 'The index does not answer; it is asked again in a moment', {
      retryAfterMs: this.breaker.closedForMs,
    });
  }

  private observeFailure(error: VectorStoreError): void {
    this.counters.observeFailure(error.kind);
    const message = this.messages.pass(error.kind, `A search was not answered by the index: ${error.message}`);
    if (message !== null) this.logger.warn(message);
  }

  private onBreaker(state: BreakerState): void {
    this.counters.enter(state);
    if (state === 'half-open') return;
    const message = this.messages.pass(
      state,
      state === 'open'
        ? 'The index has not answered several searches in a row: it is left alone, and tried again every few seconds'
        : 'The index answers searches again',
    );
    if (message !== null) this.logger.warn(message);
  }
}

/** What became of a call that its caller gave up: it says nothing about the index. */
class AbandonedCall {
  constructor(readonly error: unknown) {}
}

/** Resolves as the probe does, or rejects as an outage when it takes too long for a caller who has an alternative. */
async function beforePatienceEnds<T>(probe: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      probe,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new VectorStoreError('unavailable', 'The index is slow to answer its probe')), PROBE_PATIENCE_MS);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

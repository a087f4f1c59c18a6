import type { VectorStore } from '../vector-store.js';
import type { BreakerState, FailoverCounters } from './failover-counters.js';
import type { ReplicaStatus } from './search-replica.js';

/** An answer, and where it comes from. */
export interface Answered<T> {
  readonly value: T;
  /** Whether a copy answered because the index itself did not. */
  readonly isDegraded: boolean;
  readonly source: 'local' | 'qdrant';
  /** How far behind the rows a degraded answer may be, seconds; `null` when it is not degraded. */
  readonly indexAgeSeconds: number | null;
}

/** What people see of the fallback. */
export interface SearchStoreStatus {
  /** `null` = there is no breaker: the index lives in this process. */
  readonly breaker: BreakerState | null;
  /** One per collection that has, or cannot have, a copy in this process. */
  readonly replicas: readonly ReplicaStatus[];
}

/**
 * The vector store as features see it: for searches only, and always saying which index answered.
 *
 * Whoever needs the index itself (to write, to compare, to prove) takes {@link VectorStore}, which never answers from a copy.
 */
export abstract class SearchStore {
  /** What happened to the searches of this process; `null` = there is no fallback to count. */
  abstract readonly counters: FailoverCounters | null;

  /**
   * Answers from the index, or from its copy in this process while the index is away. Nothing is tried twice on the same store.
   *
   * @param call reads from the store it is given; may be called for both stores, so it must only read. `collection-missing` and errors that waiting
   *   can cure let the copy answer; all others are the answer.
   * @throws VectorStoreError of the index, when no copy can answer either
   */
  abstract answer<T>(collection: string, call: (store: VectorStore) => Promise<T>): Promise<Answered<T>>;

  abstract status(): SearchStoreStatus;
}

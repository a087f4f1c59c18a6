import type { VectorStore } from '../vector-store.js';
import { SearchStore, type Answered, type SearchStoreStatus } from './search-store.js';

/** One store and no fallback: what it says is the answer, and never degraded. */
export class DirectSearchStore extends SearchStore {
  readonly counters = null;

  constructor(private readonly store: VectorStore) {
    super();
  }

  async answer<T>(_collection: string, call: (store: VectorStore) => Promise<T>): Promise<Answered<T>> {
    return { value: await call(this.store), isDegraded: false, source: this.store.source, indexAgeSeconds: null };
  }

  status(): SearchStoreStatus {
    return { breaker: null, replicas: [] };
  }
}

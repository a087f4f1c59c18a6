import { join } from 'node:path';
import type { DataConfig, SyncConfig, VectorStoreConfig } from '#config';
import type { Clock } from '#kernel';
import { DirectSearchStore } from './failover/direct-search-store.js';
import { FailoverVectorStore } from './failover/failover-vector-store.js';
import { SearchReplica } from './failover/search-replica.js';
import type { SearchStore } from './failover/search-store.js';
import { LocalVectorStore } from './local/local-vector-store.js';
import type { VectorStore } from './vector-store.js';

/** Snapshots of the copy, below the data directory: they make a restart cheap and are never the truth. */
const REPLICA_FOLDER = 'replica';

/** Makes the copy that answers while a remote store is away, not opened: whoever keeps it does that. `null` without fallback. */
export function createSearchReplica(
  { fallback, fallbackMaxPoints, searchTimeoutMs }: VectorStoreConfig,
  { dataDir }: DataConfig,
  { writeTimeoutMs }: SyncConfig,
  clock: Clock,
): SearchReplica | null {
  if (fallback === 'none') return null;
  const store = new LocalVectorStore({ folder: join(dataDir, REPLICA_FOLDER), searchTimeoutMs, writeTimeoutMs });
  return new SearchReplica(store, fallbackMaxPoints, clock);
}

/** Makes what features search with. A store in this process has neither breaker nor copy: when it is away, so is everything that could replace it. */
export function createSearchStore(
  store: VectorStore,
  replica: SearchReplica | null,
  { kind, searchTimeoutMs }: VectorStoreConfig,
  clock: Clock,
): SearchStore {
  if (kind === 'local') return new DirectSearchStore(store);
  return new FailoverVectorStore({ primary: store, replica, searchTimeoutMs, clock, random: Math.random });
}

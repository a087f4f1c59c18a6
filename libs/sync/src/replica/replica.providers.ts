import { SyncConfig } from '#config';
import { DatabaseLifecycle, RelayUnitOfWork } from '#database';
import { Clock } from '#kernel';
import { SearchReplica } from '#vector-store';
import type { Provider } from '@nestjs/common';
import { GenerationCatalog } from '../generations/generation-catalog.js';
import { IndexSourceRegistry } from '../index-source-registry.js';
import { ReplicaFollower } from './replica-follower.js';

/** A tombstone stays in the ledger at least for the grace: who looks twice within it misses none. */
const LOOKS_PER_GRACE = 2;

function createReplicaFollower(
  database: DatabaseLifecycle,
  unitOfWork: RelayUnitOfWork,
  replica: SearchReplica | null,
  sources: IndexSourceRegistry,
  catalog: GenerationCatalog,
  clock: Clock,
  { graceMs }: SyncConfig,
): ReplicaFollower | null {
  if (replica === null) return null;
  const gapMs = graceMs / LOOKS_PER_GRACE;
  return new ReplicaFollower({ databaseReady: () => database.ready(), unitOfWork, replica, sources, catalog, clock, gapMs });
}

/** For processes that answer searches; `null` without a fallback. */
export const REPLICA_PROVIDERS: Provider[] = [
  {
    provide: ReplicaFollower,
    useFactory: createReplicaFollower,
    inject: [DatabaseLifecycle, RelayUnitOfWork, SearchReplica, IndexSourceRegistry, GenerationCatalog, Clock, SyncConfig],
  },
];

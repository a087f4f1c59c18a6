import type { SyncConfig, VectorStoreConfig } from '#config';
import type { DatabaseLifecycle, RelayUnitOfWork, UnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import type { Clock, IdGenerator } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Certificates } from './reconciler/certificates.js';
import { DatabaseIndexDirectory } from './database-index-directory.js';
import { GenerationBootstrap } from './generations/generation-bootstrap.js';
import type { GenerationCatalog } from './generations/generation-catalog.js';
import type { GenerationSupervisor } from './generations/generation-supervisor.js';
import type { IndexSourceRegistry } from './index-source-registry.js';
import type { SyncLeases } from './leases/sync-leases.js';
import { QuickCheck } from './reconciler/quick-check.js';
import { Reconciler } from './reconciler/reconciler.js';
import { IndexRelay } from './relay/index-relay.js';
import { RestoreGuard } from './restore/restore-guard.js';
import type { IndexDirectory } from './serving-index.js';
import type { SyncReadiness } from './sync-readiness.js';
import { SyncStartup } from './sync-startup.js';

export function createIndexRelay(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  embedders: EmbedderRegistry,
  sources: IndexSourceRegistry,
  catalog: GenerationCatalog,
  settings: SyncConfig,
  clock: Clock,
  ids: IdGenerator,
): IndexRelay {
  return new IndexRelay({ unitOfWork, store, embedders, sources, catalog, settings, clock, ids, random: Math.random });
}

export function createIndexDirectory(
  unitOfWork: UnitOfWork,
  catalog: GenerationCatalog,
  embedders: EmbedderRegistry,
  relay: IndexRelay,
  clock: Clock,
): IndexDirectory {
  return new DatabaseIndexDirectory(unitOfWork, catalog, embedders, relay, clock);
}

export function createRestoreGuard(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  leases: SyncLeases,
  ids: IdGenerator,
  { graceMs }: SyncConfig,
  catalog: GenerationCatalog,
  relay: IndexRelay,
): RestoreGuard {
  const onResumed = (): void => {
    catalog.invalidate();
    relay.wake();
  };
  return new RestoreGuard({ unitOfWork, store, leases, ids, graceMs, onResumed });
}

export function createReconciler(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  sources: IndexSourceRegistry,
  leases: SyncLeases,
  ids: IdGenerator,
  clock: Clock,
  guard: RestoreGuard,
  relay: IndexRelay,
): Reconciler {
  return new Reconciler({
    unitOfWork,
    store,
    sources,
    leases,
    certificates: new Certificates(unitOfWork),
    ids,
    clock,
    random: Math.random,
    onRepaired: () => relay.wake(),
    onAhead: (generation) => guard.healInBackground(generation),
  });
}

export function createQuickCheck(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  sources: IndexSourceRegistry,
  leases: SyncLeases,
  clock: Clock,
  guard: RestoreGuard,
  relay: IndexRelay,
): QuickCheck {
  return new QuickCheck({ unitOfWork, store, sources, leases, clock, guard, onRepaired: () => relay.wake() });
}

export function createSyncStartup(isRelayEnabled: boolean) {
  return (
    database: DatabaseLifecycle,
    unitOfWork: RelayUnitOfWork,
    store: VectorStore,
    embedders: EmbedderRegistry,
    sources: IndexSourceRegistry,
    catalog: GenerationCatalog,
    supervisor: GenerationSupervisor,
    relay: IndexRelay,
    readiness: SyncReadiness,
    { collectionPrefix }: VectorStoreConfig,
    clock: Clock,
  ): SyncStartup =>
    new SyncStartup({
      databaseReady: () => database.ready(),
      unitOfWork,
      store,
      bootstrap: new GenerationBootstrap(unitOfWork, embedders, sources, catalog, collectionPrefix),
      supervisor,
      relay,
      readiness,
      clock,
      isRelayEnabled,
    });
}

import type { SyncConfig, VectorStoreConfig } from '#config';
import type { DatabaseLifecycle, RelayUnitOfWork, UnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import type { Clock, IdGenerator } from '#kernel';
import type { VectorStore } from '#vector-store';
import { LocalIndexComparison } from './comparison/local-index-comparison.js';
import { DatabaseIndexDirectory } from './database-index-directory.js';
import { CollectionAttacher } from './generations/collection-attacher.js';
import { GenerationBootstrap } from './generations/generation-bootstrap.js';
import type { GenerationCatalog } from './generations/generation-catalog.js';
import { GenerationFiller } from './generations/generation-filler.js';
import type { IndexSourceRegistry } from './index-source-registry.js';
import { IndexRelay } from './relay/index-relay.js';
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

export function createSyncStartup(isRelayEnabled: boolean) {
  return (
    database: DatabaseLifecycle,
    unitOfWork: RelayUnitOfWork,
    store: VectorStore,
    embedders: EmbedderRegistry,
    sources: IndexSourceRegistry,
    catalog: GenerationCatalog,
    relay: IndexRelay,
    readiness: SyncReadiness,
    { collectionPrefix }: VectorStoreConfig,
    clock: Clock,
  ): SyncStartup => {
    const comparison = new LocalIndexComparison(unitOfWork, store);
    return new SyncStartup({
      databaseReady: () => database.ready(),
      unitOfWork,
      store,
      embedders,
      sources,
      catalog,
      bootstrap: new GenerationBootstrap(unitOfWork, embedders, sources, catalog, collectionPrefix),
      filler: new GenerationFiller(unitOfWork, clock),
      attacher: new CollectionAttacher(unitOfWork, store, catalog, comparison, collectionPrefix),
      relay,
      readiness,
      clock,
      isRelayEnabled,
    });
  };
}

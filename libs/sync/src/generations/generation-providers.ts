import { SyncConfig, VectorStoreConfig } from '#config';
import { RelayUnitOfWork } from '#database';
import { EmbedderRegistry } from '#embeddings';
import { Clock } from '#kernel';
import { VectorStore } from '#vector-store';
import type { Provider } from '@nestjs/common';
import { LocalIndexComparison } from '../comparison/local-index-comparison.js';
import { IndexSourceRegistry } from '../index-source-registry.js';
import { SyncLeases } from '../leases/sync-leases.js';
import { IndexRelay } from '../relay/index-relay.js';
import { Reconciler } from '../reconciler/reconciler.js';
import { RestoreGuard } from '../restore/restore-guard.js';
import { CollectionAttacher } from './collection-attacher.js';
import { GateSampleCheck } from './gate-sample-check.js';
import { GenerationCatalog } from './generation-catalog.js';
import { GenerationCreator } from './generation-creator.js';
import { GenerationFiller } from './generation-filler.js';
import { GenerationGate } from './generation-gate.js';
import { GenerationManager } from './generation-manager.js';
import { GenerationPlanner } from './generation-planner.js';
import { GenerationProof } from './generation-proof.js';
import { GenerationSupervisor } from './generation-supervisor.js';
import { ModelKeeper } from './model-keeper.js';
import { ReconcilerProof } from './reconciler-proof.js';
import { RetiredCollections } from './retired-collections.js';
import { SearchComparison } from './search-comparison.js';
import { ServingAlias } from './serving-alias.js';

function createGenerationSupervisor(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  embedders: EmbedderRegistry,
  sources: IndexSourceRegistry,
  catalog: GenerationCatalog,
  relay: IndexRelay,
  leases: SyncLeases,
  alias: ServingAlias,
  guard: RestoreGuard,
  { graceMs }: SyncConfig,
  clock: Clock,
): GenerationSupervisor {
  const comparison = new LocalIndexComparison(unitOfWork, store);
  return new GenerationSupervisor({
    unitOfWork,
    store,
    models: new ModelKeeper(embedders),
    sources,
    catalog,
    filler: new GenerationFiller(unitOfWork, clock),
    attacher: new CollectionAttacher(unitOfWork, store, catalog, comparison, guard, alias),
    alias,
    retired: new RetiredCollections(unitOfWork, store, leases, alias, graceMs),
    leases,
    relay,
    clock,
  });
}

function createGenerationManager(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  embedders: EmbedderRegistry,
  sources: IndexSourceRegistry,
  catalog: GenerationCatalog,
  relay: IndexRelay,
  leases: SyncLeases,
  alias: ServingAlias,
  proof: GenerationProof,
  supervisor: GenerationSupervisor,
  { collectionPrefix }: VectorStoreConfig,
  clock: Clock,
): GenerationManager {
  const planner = new GenerationPlanner(unitOfWork, embedders, catalog, clock, collectionPrefix);
  const gate = new GenerationGate({
    unitOfWork,
    sources,
    catalog,
    leases,
    relay,
    proof,
    sampleCheck: new GateSampleCheck(unitOfWork, store, embedders),
    comparison: new SearchComparison(unitOfWork, store, embedders),
    clock,
  });
  const creator = new GenerationCreator(unitOfWork, embedders, sources, catalog, planner, collectionPrefix);
  return new GenerationManager({ unitOfWork, store, catalog, relay, gate, creator, alias, supervisor });
}

/** What operators do with generations, and what follows from it in every process. */
export const GENERATION_PROVIDERS: Provider[] = [
  {
    provide: ServingAlias,
    useFactory: (unitOfWork: RelayUnitOfWork, store: VectorStore, { collectionPrefix }: VectorStoreConfig) =>
      new ServingAlias(unitOfWork, store, collectionPrefix),
    inject: [RelayUnitOfWork, VectorStore, VectorStoreConfig],
  },
  {
    provide: GenerationProof,
    useFactory: (reconciler: Reconciler) => new ReconcilerProof(reconciler),
    inject: [Reconciler],
  },
  {
    provide: GenerationSupervisor,
    useFactory: createGenerationSupervisor,
    inject: [
      RelayUnitOfWork,
      VectorStore,
      EmbedderRegistry,
      IndexSourceRegistry,
      GenerationCatalog,
      IndexRelay,
      SyncLeases,
      ServingAlias,
      RestoreGuard,
      SyncConfig,
      Clock,
    ],
  },
  {
    provide: GenerationManager,
    useFactory: createGenerationManager,
    inject: [
      RelayUnitOfWork,
      VectorStore,
      EmbedderRegistry,
      IndexSourceRegistry,
      GenerationCatalog,
      IndexRelay,
      SyncLeases,
      ServingAlias,
      GenerationProof,
      GenerationSupervisor,
      VectorStoreConfig,
      Clock,
    ],
  },
];

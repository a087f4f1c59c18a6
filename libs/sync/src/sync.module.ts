import { SyncConfig, VectorStoreConfig } from '#config';
import { DatabaseLifecycle, RelayUnitOfWork, UnitOfWork } from '#database';
import { EmbedderRegistry, EmbeddingsModule } from '#embeddings';
import { Clock, IdGenerator } from '#kernel';
import { VectorStore, VectorStoreModule } from '#vector-store';
import { Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { IndexSourceRegistry } from './index-source-registry.js';
import {
  createIndexDirectory,
  createIndexRelay,
  createQuickCheck,
  createReconciler,
  createRestoreGuard,
  createSyncStartup,
} from './sync.providers.js';
import { GenerationCatalog } from './generations/generation-catalog.js';
import { GenerationManager } from './generations/generation-manager.js';
import { GENERATION_PROVIDERS } from './generations/generation-providers.js';
import { GenerationSupervisor } from './generations/generation-supervisor.js';
import { SyncLeases } from './leases/sync-leases.js';
import { Certificates } from './reconciler/certificates.js';
import { QuickCheck } from './reconciler/quick-check.js';
import { Reconciler } from './reconciler/reconciler.js';
import { IndexRelay } from './relay/index-relay.js';
import { REPLICA_PROVIDERS } from './replica/replica.providers.js';
import { RestoreGuard } from './restore/restore-guard.js';
import { Schedules } from './schedules/schedules.js';
import { SCHEDULE_PROVIDERS } from './schedules/schedules.providers.js';
import { IndexDirectory } from './serving-index.js';
import { SyncStatistics } from './statistics/sync-statistics.js';
import { SyncReadiness } from './sync-readiness.js';
import { SyncStartup } from './sync-startup.js';
import { LedgerTouch } from './touch/ledger-touch.js';

export interface SyncModuleOptions {
  /** Whether the relay runs in this process. */
  readonly isRelayEnabled: boolean;
  /** Whether this process answers searches, and so keeps a copy of a remote index for the time that it is away. */
  readonly answersSearches: boolean;
}

/**
 * The engine, for every module of the process. Importing the bare class again adds nothing and harms nothing.
 *
 * Needs ConfigModule, DatabaseModule and RuntimeModule beside it; hands the embedders and the store on to whoever imports it.
 */
@Module({})
export class SyncModule {
  static forRoot({ isRelayEnabled, answersSearches }: SyncModuleOptions): DynamicModule {
    return {
      module: SyncModule,
      global: true,
      imports: [EmbeddingsModule, VectorStoreModule, ScheduleModule.forRoot()],
      providers: [
        IndexSourceRegistry,
        SyncReadiness,
        {
          provide: GenerationCatalog,
          useFactory: (unitOfWork: RelayUnitOfWork, clock: Clock) => new GenerationCatalog(unitOfWork, clock),
          inject: [RelayUnitOfWork, Clock],
        },
        {
          provide: IndexRelay,
          useFactory: createIndexRelay,
          inject: [RelayUnitOfWork, VectorStore, EmbedderRegistry, IndexSourceRegistry, GenerationCatalog, SyncConfig, Clock, IdGenerator],
        },
        {
          provide: IndexDirectory,
          useFactory: createIndexDirectory,
          inject: [UnitOfWork, GenerationCatalog, EmbedderRegistry, IndexRelay, Clock],
        },
        {
          provide: DeadLetters,
          useFactory: (unitOfWork: UnitOfWork, relay: IndexRelay) => new DeadLetters(unitOfWork, relay),
          inject: [UnitOfWork, IndexRelay],
        },
        {
          provide: LedgerTouch,
          useFactory: (unitOfWork: UnitOfWork, relay: IndexRelay) => new LedgerTouch(unitOfWork, relay),
          inject: [UnitOfWork, IndexRelay],
        },
        {
          provide: SyncStatistics,
          useFactory: (unitOfWork: UnitOfWork, relay: IndexRelay, clock: Clock) => new SyncStatistics(unitOfWork, relay, clock),
          inject: [UnitOfWork, IndexRelay, Clock],
        },
        {
          provide: SyncLeases,
          useFactory: (unitOfWork: RelayUnitOfWork, ids: IdGenerator) => new SyncLeases(unitOfWork, ids),
          inject: [RelayUnitOfWork, IdGenerator],
        },
        { provide: Certificates, useFactory: (unitOfWork: UnitOfWork) => new Certificates(unitOfWork), inject: [UnitOfWork] },
        {
          provide: RestoreGuard,
          useFactory: createRestoreGuard,
          inject: [RelayUnitOfWork, VectorStore, SyncLeases, IdGenerator, SyncConfig, GenerationCatalog, IndexRelay],
        },
        {
          provide: Reconciler,
          useFactory: createReconciler,
          inject: [RelayUnitOfWork, VectorStore, IndexSourceRegistry, SyncLeases, IdGenerator, Clock, RestoreGuard, IndexRelay],
        },
        {
          provide: QuickCheck,
          useFactory: createQuickCheck,
          inject: [RelayUnitOfWork, VectorStore, IndexSourceRegistry, SyncLeases, Clock, RestoreGuard, IndexRelay],
        },
        ...GENERATION_PROVIDERS,
        {
          provide: SyncStartup,
          useFactory: createSyncStartup(isRelayEnabled),
          inject: [
            DatabaseLifecycle,
            RelayUnitOfWork,
            VectorStore,
            EmbedderRegistry,
            IndexSourceRegistry,
            GenerationCatalog,
            GenerationSupervisor,
            IndexRelay,
            SyncReadiness,
            VectorStoreConfig,
            Clock,
          ],
        },
        ...SCHEDULE_PROVIDERS,
        ...(answersSearches ? REPLICA_PROVIDERS : []),
      ],
      exports: [
        IndexDirectory,
        IndexSourceRegistry,
        SyncReadiness,
        IndexRelay,
        DeadLetters,
        LedgerTouch,
        SyncStatistics,
        GenerationCatalog,
        GenerationManager,
        SyncLeases,
        Certificates,
        Reconciler,
        QuickCheck,
        RestoreGuard,
        Schedules,
        EmbeddingsModule,
        VectorStoreModule,
      ],
    };
  }
}

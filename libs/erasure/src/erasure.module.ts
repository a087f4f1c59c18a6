import { ErasureConfig } from '#config';
import { DatabaseLifecycle, RelayUnitOfWork } from '#database';
import { EmbedderRegistry } from '#embeddings';
import { Clock } from '#kernel';
import { SearchReplica, VectorStore } from '#vector-store';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { ErasureLog } from './erasure-log.js';
import { ErasurePlaces } from './erasure-places.js';
import { ErasureWorker } from './erasure-worker.js';
import { Erasures } from './erasures.js';
import { EmbeddingCachePlace } from './places/embedding-cache.place.js';
import { IndexPlace } from './places/index.place.js';
import { LedgerPlace } from './places/ledger.place.js';
import { MemoryPlace } from './places/memory.place.js';
import { RowPlace } from './places/row.place.js';
import { StoredAnswersPlace } from './places/stored-answers.place.js';
import { ProcessMemory } from './process-memory.js';
import { ProcessRegister } from './process-register.js';

export interface ErasureModuleOptions {
  /** Whether this process works on erasures: where the relay runs. */
  readonly isWorker: boolean;
  /** Whether it answers searches, and so remembers what it has read. */
  readonly answersSearches: boolean;
}

function createPlaces(session: RelayUnitOfWork, store: VectorStore): ErasurePlaces {
  const places = new ErasurePlaces();
  places.register(new RowPlace(session));
  places.register(new LedgerPlace(session));
  places.register(new IndexPlace(session, store));
  places.register(new EmbeddingCachePlace(session));
  places.register(new StoredAnswersPlace(session));
  places.register(new MemoryPlace(session));
  return places;
}

function createMemory(embedders: EmbedderRegistry): ProcessMemory {
  const memory = new ProcessMemory();
  memory.register(() => embedders.forgetQueries());
  return memory;
}

const MEMORY: Provider = { provide: ProcessMemory, useFactory: createMemory, inject: [EmbedderRegistry] };

const WORKER: Provider = {
  provide: ErasureWorker,
  useFactory: (database: DatabaseLifecycle, unitOfWork: RelayUnitOfWork, places: ErasurePlaces, log: ErasureLog, clock: Clock) =>
    new ErasureWorker({ databaseReady: () => database.ready(), unitOfWork, places, log, clock }),
  inject: [DatabaseLifecycle, RelayUnitOfWork, ErasurePlaces, ErasureLog, Clock],
};

const REGISTER: Provider = {
  provide: ProcessRegister,
  useFactory: (
    database: DatabaseLifecycle,
    unitOfWork: RelayUnitOfWork,
    memory: ProcessMemory,
    replica: SearchReplica | null,
    clock: Clock,
  ) => new ProcessRegister({ databaseReady: () => database.ready(), unitOfWork, memory, replica, clock }),
  inject: [DatabaseLifecycle, RelayUnitOfWork, ProcessMemory, SearchReplica, Clock],
};

/** Erasures, for every module of the process. Needs the (global) configuration, database, runtime, sync and vector store modules beside it. */
@Module({})
export class ErasureModule {
  static forRoot({ isWorker, answersSearches }: ErasureModuleOptions): DynamicModule {
    return {
      module: ErasureModule,
      global: true,
      providers: [
        Erasures,
        { provide: ErasureLog, useFactory: ({ logFile }: ErasureConfig) => new ErasureLog(logFile), inject: [ErasureConfig] },
        { provide: ErasurePlaces, useFactory: createPlaces, inject: [RelayUnitOfWork, VectorStore] },
        ...(isWorker ? [WORKER] : []),
        ...(answersSearches ? [MEMORY, REGISTER] : []),
      ],
      exports: [Erasures, ErasurePlaces, ...(answersSearches ? [ProcessMemory] : [])],
    };
  }
}

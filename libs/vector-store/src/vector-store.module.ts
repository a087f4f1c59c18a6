import { Module } from '@nestjs/common';
import { DataConfig, SyncConfig, VectorStoreConfig } from '#config';
import { Clock } from '#kernel';
import { createSearchReplica, createSearchStore } from './create-search-store.js';
import { CountedVectorStore } from './counted-vector-store.js';
import { createVectorStore } from './create-vector-store.js';
import { SearchReplica } from './failover/search-replica.js';
import { SearchStore } from './failover/search-store.js';
import { StoreCalls } from './store-calls.js';
import { VectorStoreShutdown } from './vector-store-shutdown.js';
import { VectorStore } from './vector-store.js';

/**
 * Exports the {@link VectorStore} that the configuration names, for the engine, with {@link StoreCalls}, which counts what it is asked; the {@link SearchStore} that features search with; and the
 * {@link SearchReplica} that the engine keeps for it, or `null`. Needs the slices of ConfigModule, and RuntimeModule.
 *
 * Nothing is opened here: the sync engine does that in the background and tries again, so that a server that is down does not stop the boot.
 */
@Module({
  providers: [
    StoreCalls,
    {
      provide: VectorStore,
      useFactory: (calls: StoreCalls, ...configuration: Parameters<typeof createVectorStore>) =>
        new CountedVectorStore(createVectorStore(...configuration), calls),
      inject: [StoreCalls, VectorStoreConfig, DataConfig, SyncConfig],
    },
    { provide: SearchReplica, useFactory: createSearchReplica, inject: [VectorStoreConfig, DataConfig, SyncConfig, Clock] },
    { provide: SearchStore, useFactory: createSearchStore, inject: [VectorStore, SearchReplica, VectorStoreConfig, Clock] },
    VectorStoreShutdown,
  ],
  exports: [VectorStore, SearchReplica, SearchStore, StoreCalls],
})
export class VectorStoreModule {}

import { Module } from '@nestjs/common';
import { DataConfig, SyncConfig, VectorStoreConfig } from '#config';
import { createVectorStore } from './create-vector-store.js';
import { VectorStoreShutdown } from './vector-store-shutdown.js';
import { VectorStore } from './vector-store.js';

/**
 * Exports the {@link VectorStore} that the configuration names; needs the slices of ConfigModule.
 *
 * It is not opened here: the sync engine does that in the background and tries again, so that a server that is down does not stop the boot.
 */
@Module({
  providers: [
    { provide: VectorStore, useFactory: createVectorStore, inject: [VectorStoreConfig, DataConfig, SyncConfig] },
    VectorStoreShutdown,
  ],
  exports: [VectorStore],
})
export class VectorStoreModule {}

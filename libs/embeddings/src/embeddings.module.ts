import { Module } from '@nestjs/common';
import { EmbeddingConfig } from '#config';
import { EmbedderRegistry } from './embedder-registry.js';
import { EmbedderShutdown } from './embedder-shutdown.js';
import { ConfiguredEmbedderRegistry } from './configured-embedder-registry.js';

/** Exports the registry of embedders; needs the slices of ConfigModule. Nothing is loaded before an embedder is asked to. */
@Module({
  providers: [
    {
      provide: EmbedderRegistry,
      useFactory: (config: EmbeddingConfig) => new ConfiguredEmbedderRegistry(config),
      inject: [EmbeddingConfig],
    },
    EmbedderShutdown,
  ],
  exports: [EmbedderRegistry],
})
export class EmbeddingsModule {}

import { AnswersErasureModule } from '#answers';
import { ConfigModule, type KindredConfig } from '#config';
import { DatabaseModule } from '#database';
import { ChunkDeriverModule, DOCUMENT_ENTITIES } from '#documents';
import { EmbeddingsModule } from '#embeddings';
import { ErasureModule } from '#erasure';
import { INGESTION_ENTITIES, IngestionErasureModule, IngestionModule } from '#ingestion';
import { MetricsModule } from '#metrics';
import { LoggingModule, RuntimeModule } from '#observability';
import { PROJECT_ENTITIES, ProjectsModule } from '#projects';
import { SYNC_ENTITIES, SyncModule } from '#sync';
import { VectorStoreModule } from '#vector-store';
import { Module, type DynamicModule } from '@nestjs/common';

/** The relay and the jobs: the same sources as the api, no HTTP. */
@Module({})
export class WorkerModule {
  static forRoot(config: KindredConfig): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        RuntimeModule,
        LoggingModule,
        DatabaseModule.forRoot({ entities: [...PROJECT_ENTITIES, ...DOCUMENT_ENTITIES, ...INGESTION_ENTITIES, ...SYNC_ENTITIES] }),
        EmbeddingsModule,
        VectorStoreModule,
        SyncModule.forRoot({ isRelayEnabled: true, answersSearches: false }),
        ProjectsModule,
        ChunkDeriverModule,
        IngestionModule,
        ...[ErasureModule.forRoot({ isWorker: true, answersSearches: false }), AnswersErasureModule, IngestionErasureModule],
        ...(config.metrics.port === null ? [] : [MetricsModule]),
      ],
    };
  }
}

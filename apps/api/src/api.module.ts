import { AdminHttpModule } from '#admin';
import { ANSWERS_ENTITIES, AnswersErasureModule, AnswersHttpModule, AnswersMemoryModule } from '#answers';
import { ConfigModule, type KindredConfig } from '#config';
import { DatabaseModule } from '#database';
import { ChunkDeriverModule, DOCUMENT_ENTITIES, DocumentsHttpModule } from '#documents';
import { EmbeddingsModule } from '#embeddings';
import { ErasureHttpModule, ErasureModule } from '#erasure';
import { HealthHttpModule } from '#health';
import { IDEMPOTENCY_ENTITIES, IdempotencyModule } from '#idempotency';
import { INGESTION_ENTITIES, IngestionErasureModule, IngestionHttpModule } from '#ingestion';
import { MetricsHttpModule } from '#metrics';
import { LoggingModule, RuntimeModule } from '#observability';
import { PROJECT_ENTITIES, ProjectsHttpModule } from '#projects';
import { SecurityHttpModule } from '#security';
import { SimilarityHttpModule } from '#similarity';
import { SYNC_ENTITIES, SyncModule } from '#sync';
import { VectorStoreModule } from '#vector-store';
import { Module, type DynamicModule } from '@nestjs/common';

/** The rows whose tables this deployment owns; the schema drift test compares them with the migrations. */
export const ENTITIES = [
  ...PROJECT_ENTITIES,
  ...DOCUMENT_ENTITIES,
  ...INGESTION_ENTITIES,
  ...ANSWERS_ENTITIES,
  ...SYNC_ENTITIES,
  ...IDEMPOTENCY_ENTITIES,
];

/** The api process: every feature over HTTP, with the relay inline unless SYNC_INLINE=false. */
@Module({})
export class ApiModule {
  static forRoot(config: KindredConfig): DynamicModule {
    return {
      module: ApiModule,
      imports: [
        ConfigModule.forRoot(config),
        RuntimeModule,
        LoggingModule,
        DatabaseModule.forRoot({ entities: ENTITIES }),
        SecurityHttpModule,
        EmbeddingsModule,
        VectorStoreModule,
        SyncModule.forRoot({ isRelayEnabled: config.sync.isInline, answersSearches: true }),
        ErasureModule.forRoot({ isWorker: config.sync.isInline, answersSearches: true }),
        IdempotencyModule,
        ProjectsHttpModule,
        SimilarityHttpModule,
        DocumentsHttpModule,
        AnswersHttpModule,
        // Whoever keeps the index in step makes the chunks as well.
        ...(config.sync.isInline ? [ChunkDeriverModule] : []),
        IngestionHttpModule,
        ...[ErasureHttpModule, AnswersErasureModule, AnswersMemoryModule, IngestionErasureModule],
        HealthHttpModule,
        AdminHttpModule,
        MetricsHttpModule.forRoot(config.metrics),
      ],
    };
  }
}

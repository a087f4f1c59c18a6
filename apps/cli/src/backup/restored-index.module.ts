import { ConfigModule, type KindredConfig } from '#config';
import { DatabaseModule } from '#database';
import { ChunkDeriverModule, DOCUMENT_ENTITIES } from '#documents';
import { EmbeddingsModule } from '#embeddings';
import { RuntimeModule } from '#observability';
import { PROJECT_ENTITIES, ProjectsModule } from '#projects';
import { SYNC_ENTITIES, SyncModule } from '#sync';
import { VectorStoreModule } from '#vector-store';
import { Module, type DynamicModule } from '@nestjs/common';

/** The engine and its sources, without HTTP and jobs: what it takes to bring an index in step and to prove it. */
@Module({})
export class RestoredIndexModule {
  static forRoot(config: KindredConfig): DynamicModule {
    return {
      module: RestoredIndexModule,
      imports: [
        ConfigModule.forRoot(config),
        RuntimeModule,
        DatabaseModule.forRoot({ entities: [...PROJECT_ENTITIES, ...DOCUMENT_ENTITIES, ...SYNC_ENTITIES] }),
        EmbeddingsModule,
        VectorStoreModule,
        SyncModule.forRoot({ isRelayEnabled: true, answersSearches: false }),
        ProjectsModule,
        ChunkDeriverModule,
      ],
    };
  }
}

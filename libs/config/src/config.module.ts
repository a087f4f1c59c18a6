import { Module, type DynamicModule } from '@nestjs/common';
import { ErasureConfig } from './erasure-config.js';
import type { KindredConfig } from './kindred-config.js';
import {
  AnswersConfig,
  DatabaseConfig,
  DataConfig,
  EmbeddingConfig,
  IngestionConfig,
  LogConfig,
  MetricsConfig,
  ScheduleConfig,
  SearchConfig,
  SecurityConfig,
  ServerConfig,
  SyncConfig,
  TracingConfig,
  VectorStoreConfig,
} from './slices.js';

/** Provides each slice under its class, to every module. */
@Module({})
export class ConfigModule {
  static forRoot(config: KindredConfig): DynamicModule {
    const providers = [
      { provide: ServerConfig, useValue: config.server },
      { provide: DataConfig, useValue: config.data },
      { provide: ErasureConfig, useValue: config.erasure },
      { provide: LogConfig, useValue: config.log },
      { provide: MetricsConfig, useValue: config.metrics },
      { provide: TracingConfig, useValue: config.tracing },
      { provide: DatabaseConfig, useValue: config.database },
      { provide: VectorStoreConfig, useValue: config.vectorStore },
      { provide: EmbeddingConfig, useValue: config.embedding },
      { provide: SyncConfig, useValue: config.sync },
      { provide: SearchConfig, useValue: config.search },
      { provide: ScheduleConfig, useValue: config.schedules },
      { provide: IngestionConfig, useValue: config.ingestion },
      { provide: AnswersConfig, useValue: config.answers },
      { provide: SecurityConfig, useValue: config.security },
    ];
    return { module: ConfigModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}

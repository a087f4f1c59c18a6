import { Module, type DynamicModule } from '@nestjs/common';
import { DatabaseConfig, DataConfig } from '#config';
import { DatabaseLifecycle } from './database-lifecycle.js';
import type { EntityType } from './data-source.js';
import { TypeOrmUnitOfWork } from './typeorm-unit-of-work.js';
import { RelayUnitOfWork, UnitOfWork } from './unit-of-work.js';

export interface DatabaseModuleOptions {
  /** The tables of this process, of all features. */
  readonly entities: readonly EntityType[];
}

/** Provides the units of work to every module, and connects them while the application starts. */
@Module({})
export class DatabaseModule {
  static forRoot({ entities }: DatabaseModuleOptions): DynamicModule {
    return {
      module: DatabaseModule,
      global: true,
      providers: [
        {
          provide: DatabaseLifecycle,
          useFactory: (database: DatabaseConfig, data: DataConfig) =>
            new DatabaseLifecycle({ url: database.url, dataDir: data.dataDir, entities }),
          inject: [DatabaseConfig, DataConfig],
        },
        {
          provide: UnitOfWork,
          useFactory: (lifecycle: DatabaseLifecycle) => new TypeOrmUnitOfWork(() => lifecycle.requests),
          inject: [DatabaseLifecycle],
        },
        {
          provide: RelayUnitOfWork,
          useFactory: (lifecycle: DatabaseLifecycle) => new TypeOrmUnitOfWork(() => lifecycle.relay),
          inject: [DatabaseLifecycle],
        },
      ],
      exports: [DatabaseLifecycle, UnitOfWork, RelayUnitOfWork],
    };
  }
}

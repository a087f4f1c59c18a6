import { ConfigModule, DataDirLock, loadConfig } from '#config';
import { createDataSource, DatabaseLifecycle, DatabaseModule, findSchemaDrift, revertLastMigration } from '#database';
import { RuntimeModule } from '#observability';
import { PROJECT_ENTITIES } from '#projects';
import { SYNC_ENTITIES } from '#sync';
import { NestFactory } from '@nestjs/core';
import { Module } from '@nestjs/common';
import { Command, CommandRunner, SubCommand } from 'nest-commander';
import { mkdirSync } from 'node:fs';

const ENTITIES = [...PROJECT_ENTITIES, ...SYNC_ENTITIES];

@Module({})
class MigrationContext {}

/** Opens the configured database, embedded or not, with every migration applied, for as long as `work` runs. */
async function withDatabase(work: (source: ReturnType<typeof createDataSource>) => Promise<void>): Promise<void> {
  const config = loadConfig();
  mkdirSync(config.data.dataDir, { recursive: true });
  const lock = await DataDirLock.acquire(config.data.dataDir);
  const imports = [ConfigModule.forRoot(config), RuntimeModule, DatabaseModule.forRoot({ entities: ENTITIES })];
  const context = await NestFactory.createApplicationContext({ module: MigrationContext, imports }, { logger: ['warn', 'error', 'fatal'], abortOnError: false });
  try {
    const lifecycle = context.get(DatabaseLifecycle);
    await lifecycle.ready();
    const source = createDataSource({ url: lifecycle.url, applicationName: 'kindred-migration', poolSize: 1, entities: ENTITIES });
    await source.initialize();
    try {
      await work(source);
    } finally {
      await source.destroy();
    }
  } finally {
    await context.close();
    await lock.release();
  }
}

@SubCommand({ name: 'run', description: 'Apply every migration that has not run yet (the service does this at its start, too)' })
export class MigrationRunCommand extends CommandRunner {
  async run(): Promise<void> {
    await withDatabase(async (source) => {
      const rows = await source.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id');
      console.log(`The schema is up to date:\n${rows.map(({ name }) => `  ${name}`).join('\n')}`);
    });
  }
}

@SubCommand({ name: 'revert', description: 'Undo the newest migration; what its tables held is lost' })
export class MigrationRevertCommand extends CommandRunner {
  async run(): Promise<void> {
    await withDatabase(async (source) => {
      await revertLastMigration(source);
      console.log('The newest migration is undone. The next start of the service applies it again.');
    });
  }
}

@SubCommand({ name: 'generate', description: 'Print the SQL of a migration from the schema to the entities' })
export class MigrationGenerateCommand extends CommandRunner {
  async run(): Promise<void> {
    await withDatabase(async (source) => {
      const { up, down } = await findSchemaDrift(source);
      if (up.length === 0) console.log('The entities and the schema agree; there is nothing to migrate.');
      else console.log(['-- up', ...up.map((sql) => `${sql};`), '-- down', ...down.map((sql) => `${sql};`)].join('\n'));
    });
  }
}

@Command({ name: 'migration', description: 'Apply, undo or draft migrations of the database', subCommands: [MigrationRunCommand, MigrationRevertCommand, MigrationGenerateCommand] })
export class MigrationCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help();
  }
}

import { loadConfig } from '#config';
import { Command, CommandRunner, SubCommand } from 'nest-commander';
import { mkdirSync } from 'node:fs';

type SchemaTools = typeof import('#database');
type SchemaSource = Parameters<Parameters<SchemaTools['withSchemaDataSource']>[1]>[0];

/** Opens the configured database for as long as `work` runs. */
async function withSchema(work: (source: SchemaSource, tools: SchemaTools) => Promise<void>): Promise<void> {
  // Loaded when they are needed: the ORM takes longer to load than most commands to run.
  const [tools, { ANSWERS_ENTITIES }, { DOCUMENT_ENTITIES }, { INGESTION_ENTITIES }, { PROJECT_ENTITIES }, { SYNC_ENTITIES }] =
    await Promise.all([
      import('#database'),
      import('#answers'),
      import('#documents'),
      import('#ingestion'),
      import('#projects'),
      import('#sync'),
    ]);
  const { database, data } = loadConfig();
  mkdirSync(data.dataDir, { recursive: true });
  await tools.withSchemaDataSource(
    { database, data, entities: [...PROJECT_ENTITIES, ...DOCUMENT_ENTITIES, ...INGESTION_ENTITIES, ...ANSWERS_ENTITIES, ...SYNC_ENTITIES] },
    (source) => work(source, tools),
  );
}

@SubCommand({ name: 'run', description: 'Apply every migration that has not run yet (the service does this at its start, too)' })
export class MigrationRunCommand extends CommandRunner {
  async run(): Promise<void> {
    await withSchema(async (source, { runMigrations }) => {
      const done = await runMigrations(source);
      console.log(done.length === 0 ? 'The schema is up to date.' : `Applied:\n${done.map((name) => `  ${name}`).join('\n')}`);
    });
  }
}

@SubCommand({ name: 'revert', description: 'Undo the newest migration; what its tables held is lost' })
export class MigrationRevertCommand extends CommandRunner {
  async run(): Promise<void> {
    await withSchema(async (source, { revertLastMigration }) => {
      await revertLastMigration(source);
      console.log('The newest migration is undone. The next start of the service applies it again.');
    });
  }
}

@SubCommand({ name: 'generate', arguments: '<name>', description: 'Print a migration from the migrated schema to the entities' })
export class MigrationGenerateCommand extends CommandRunner {
  async run([name]: string[]): Promise<void> {
    await withSchema(async (source, { findSchemaDrift, renderMigration, runMigrations }) => {
      await runMigrations(source);
      const drift = await findSchemaDrift(source);
      console.log(
        drift.up.length === 0
          ? 'The entities and the schema agree; there is nothing to migrate.'
          : renderMigration(name!, Date.now(), drift),
      );
    });
  }
}

@Command({
  name: 'migration',
  description: 'Apply, undo or draft migrations of the database',
  subCommands: [MigrationRunCommand, MigrationRevertCommand, MigrationGenerateCommand],
})
export class MigrationCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help();
  }
}

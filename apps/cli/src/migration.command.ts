import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { auditedDirectly } from './audit/audited-directly.js';
import { withSchema } from './schema-session.js';

interface JsonOptions {
  readonly json?: boolean;
}

abstract class SchemaCommand extends CommandRunner {
  @Option({ flags: '--json', description: 'print JSON' })
  parseJson(): boolean {
    return true;
  }

  protected show({ json }: JsonOptions, result: object, text: string): void {
    console.log(json === true ? JSON.stringify(result, null, 2) : text);
  }
}

@SubCommand({ name: 'run', description: 'Apply every migration that has not run yet (the service does this at its start, too)' })
export class MigrationRunCommand extends SchemaCommand {
  async run(_arguments: string[], options: JsonOptions): Promise<void> {
    await withSchema(async (source, { runMigrations }, url) => {
      const done = await migrated(url, 'migration run', () => runMigrations(source));
      const text = done.length === 0 ? 'The schema is up to date.' : `Applied:\n${done.map((name) => `  ${name}`).join('\n')}`;
      this.show(options, { applied: done }, text);
    });
  }
}

@SubCommand({ name: 'revert', description: 'Undo the newest migration; what its tables held is lost' })
export class MigrationRevertCommand extends SchemaCommand {
  async run(_arguments: string[], options: JsonOptions): Promise<void> {
    await withSchema(async (source, { revertLastMigration }, url) => {
      const act = { action: 'migration revert', target: null, detail: null };
      const name = await auditedDirectly(
        url,
        act,
        () => revertLastMigration(source),
        (undone) => undone,
      );
      const text = name === null ? 'There is no migration to undo.' : `Undone: ${name}. The next start of the service applies it again.`;
      this.show(options, { reverted: name !== null, migration: name }, text);
    });
  }
}

@SubCommand({ name: 'generate', arguments: '<name>', description: 'Print a migration from the migrated schema to the entities' })
export class MigrationGenerateCommand extends SchemaCommand {
  async run([name]: string[], options: JsonOptions): Promise<void> {
    await withSchema(async (source, { findSchemaDrift, renderMigration, runMigrations }, url) => {
      await migrated(url, 'migration generate', () => runMigrations(source));
      const drift = await findSchemaDrift(source);
      const migration = drift.up.length === 0 ? null : renderMigration(name!, Date.now(), drift);
      this.show(options, { migration }, migration ?? 'The entities and the schema agree; there is nothing to migrate.');
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

/** @returns the names of the migrations that `run` has run; the newest of them is what the audit names */
function migrated(url: string, action: string, run: () => Promise<string[]>): Promise<string[]> {
  return auditedDirectly(url, { action, target: null, detail: null }, run, (done) => done.at(-1) ?? null);
}

import { DataDirLock, type DatabaseConfig, type DataConfig } from '#config';
import type { DataSource } from 'typeorm';
import { createDataSource, type EntityType } from './data-source.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';

export interface SchemaToolOptions {
  readonly database: DatabaseConfig;
  readonly data: DataConfig;
  readonly entities?: readonly EntityType[];
}

/**
 * Gives `work` a data source that is connected and not migrated, and the URL of its database, for commands: of the server behind DATABASE_URL, else of the embedded one, which runs only meanwhile.
 *
 * @throws FatalStartupError when the embedded database is in use by the service
 */
export async function withSchemaDataSource<T>(
  { database, data, entities }: SchemaToolOptions,
  work: (source: DataSource, url: string) => Promise<T>,
): Promise<T> {
  if (database.url !== null) return connected(database.url, entities, work);
  const lock = await DataDirLock.acquire(data.dataDir);
  const server = new EmbeddedPostgres({ dataDir: data.dataDir });
  try {
    return await connected(await server.start(), entities, work);
  } finally {
    await server.stop();
    await lock.release();
  }
}

async function connected<T>(
  url: string,
  entities: readonly EntityType[] | undefined,
  work: (source: DataSource, url: string) => Promise<T>,
): Promise<T> {
  const source = createDataSource({ url, entities, applicationName: 'kindred-schema', poolSize: 1 });
  await source.initialize();
  try {
    return await work(source, url);
  } finally {
    await source.destroy();
  }
}

/** The statements that would turn the migrated schema into what the entities describe, and back. Both lists are empty when they agree. */
export interface SchemaDrift {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** Compares the entities of the data source with its database. It sees tables, columns, keys and indexes; neither triggers nor functions. */
export async function findSchemaDrift(source: DataSource): Promise<SchemaDrift> {
  const { upQueries, downQueries } = await source.driver.createSchemaBuilder().log();
  return { up: upQueries.map(({ query }) => query), down: downQueries.map(({ query }) => query).reverse() };
}

/**
 * The source of a migration file for the drift; add its class to the list in `migrations/index.ts`.
 *
 * @param name in PascalCase, for example `AddProjectNotes`
 * @param timestampMs orders it behind the others
 */
export function renderMigration(name: string, timestampMs: number, drift: SchemaDrift): string {
  const statements = (queries: readonly string[]): string =>
    queries.map((query) => `    await runner.query(${JSON.stringify(query)});\n`).join('');
  return `import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ${name}${timestampMs} implements MigrationInterface {
  readonly name = '${name}${timestampMs}';

  async up(runner: QueryRunner): Promise<void> {
${statements(drift.up)}  }

  async down(runner: QueryRunner): Promise<void> {
${statements(drift.down)}  }
}
`;
}

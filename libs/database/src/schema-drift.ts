import type { DataSource } from 'typeorm';

/** The statements that would bring the schema to what the entities describe, and back; both empty when they agree. */
export interface SchemaDrift {
  readonly up: string[];
  readonly down: string[];
}

/** Compares the entities of an initialised source with its database; changes nothing. */
export async function findSchemaDrift(source: DataSource): Promise<SchemaDrift> {
  const log = await source.driver.createSchemaBuilder().log();
  return { up: log.upQueries.map(({ query }) => query), down: log.downQueries.map(({ query }) => query) };
}

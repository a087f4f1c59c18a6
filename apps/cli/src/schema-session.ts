import { loadConfig } from '#config';
import { mkdirSync } from 'node:fs';

type SchemaTools = typeof import('#database');
type SchemaSource = Parameters<Parameters<SchemaTools['withSchemaDataSource']>[1]>[0];

/** Opens the configured database for as long as `work` runs, which gets its URL, too. */
export async function withSchema(work: (source: SchemaSource, tools: SchemaTools, url: string) => Promise<void>): Promise<void> {
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
    (source, url) => work(source, tools, url),
  );
}

import type { EmbeddingConfig, KindredConfig, VectorStoreConfig } from '#config';
import { DatabaseConnection, hasRelation, migrationNames, type UnitOfWork } from '#database';
import { ModelFolder, ModelLocations } from '#embeddings';
import { ApiKeys, MAKE_A_KEY, Pepper } from '#security';
import { QdrantVectorStore } from '#vector-store';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, reasonOf, skipped, warn, type Finding } from './finding.js';

/** The database, its migrations and the keys in it. @param runningUrl of the service that runs; the embedded database runs only as long as that */
export async function checkDatabase(config: KindredConfig, runningUrl: string | null): Promise<Finding[]> {
  const url = config.database.url ?? runningUrl;
  if (url === null) {
    const isThere = existsSync(join(config.data.dataDir, 'postgres', 'PG_VERSION'));
    return [skipped('database', `the embedded one ${isThere ? 'starts with the service' : 'is made when the service starts'}`)];
  }
  let database: DatabaseConnection;
  const startedMs = performance.now();
  try {
    database = await DatabaseConnection.open(url);
  } catch (error) {
    const advice = 'Is PostgreSQL 14 or later running there, and are user, password and database of DATABASE_URL right?';
    return [fail('database', reasonOf(error), advice)];
  }
  try {
    const { rows } = await database.unitOfWork.query<{ version: string }>(`SELECT current_setting('server_version') AS version`);
    const finding = ok('database', `PostgreSQL ${rows[0]!.version}, answered in ${Math.round(performance.now() - startedMs)} ms`);
    const isMigrated = await hasRelation(database.unitOfWork, 'public.migrations');
    const done = isMigrated ? (await database.unitOfWork.query<{ name: string }>('SELECT name FROM public.migrations')).rows : [];
    // The pepper may be what is wrong, which says nothing of the database.
    const keys = await keysFinding(config, database.unitOfWork).catch((error: unknown) =>
      fail('keys', reasonOf(error), 'The service does not start so.'),
    );
    return [finding, migrationFinding(done.map(({ name }) => name)), keys];
  } catch (error) {
    return [fail('database', reasonOf(error), 'May the user of DATABASE_URL read the schema public?')];
  } finally {
    await database.close();
  }
}

function migrationFinding(done: readonly string[]): Finding {
  const known = migrationNames();
  const unknown = done.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    return fail(
      'migrations',
      `a newer Kindred has migrated this database (${unknown.join(', ')})`,
      'Run that version, or restore a backup from before.',
    );
  const due = known.length - done.length;
  if (due === 0) return ok('migrations', `all ${known.length} are done`);
  return warn('migrations', `${due} are due`, 'The next start of the service runs them; or kindred migration run. Make a backup first.');
}

/** Whether somebody can come in: the keys of the database against the pepper that a service with this configuration has. */
async function keysFinding({ security, data }: KindredConfig, database: UnitOfWork): Promise<Finding> {
  if (security.access !== 'required') return skipped('keys', 'none is asked for');
  if (!(await hasRelation(database, 'public.api_keys'))) return skipped('keys', 'the table comes with the migrations');
  // Where there is no pepper yet, the start makes one, and that is another one than any key was made with.
  const pepper = Pepper.existing(security.pepper, data.dataDir) ?? new Pepper(randomUUID());
  const { good, ofAnotherPepper } = await new ApiKeys(database, pepper).count();
  const isOpened = good > 0 || security.bootstrapKey !== null;
  if (ofAnotherPepper > 0) {
    const detail = `${ofAnotherPepper} of ${good + ofAnotherPepper} were made with another API_KEY_PEPPER, or the file api-key-pepper of another DATA_DIR, and are refused`;
    return (isOpened ? warn : fail)('keys', detail, `Put the old one back; or make them anew, and revoke the old ones: ${MAKE_A_KEY}`);
  }
  if (good > 0) return ok('keys', `${good} ${good === 1 ? 'is' : 'are'} good`);
  if (isOpened)
    return warn('keys', 'only KINDRED_BOOTSTRAP_KEY opens', `Make keys of their own for clients, then take it away: ${MAKE_A_KEY}`);
  return fail('keys', 'there is none, and the service does not start without one', MAKE_A_KEY);
}

export async function checkIndex(config: VectorStoreConfig, writeTimeoutMs: number): Promise<Finding> {
  const { qdrantUrl, qdrantApiKey, searchTimeoutMs } = config;
  if (qdrantUrl === null) return skipped('index', 'the local one lives in the process of the service');
  const store = new QdrantVectorStore({ url: qdrantUrl, apiKey: qdrantApiKey, searchTimeoutMs, writeTimeoutMs });
  const startedMs = performance.now();
  try {
    const { version, collectionsCount } = await store.ping();
    return ok(
      'index',
      `Qdrant ${version ?? ''}, ${collectionsCount} collections, answered in ${Math.round(performance.now() - startedMs)} ms`,
    );
  } catch (error) {
    return fail('index', reasonOf(error), 'Is Qdrant 1.18 or later running there, and are QDRANT_URL and QDRANT_API_KEY right?');
  } finally {
    await store.close();
  }
}

export async function checkModel(config: EmbeddingConfig): Promise<Finding> {
  const { provider, model, dtype, openAi } = config;
  if (provider === 'openai')
    return ok('model', `${openAi.model} of ${new URL(openAi.baseUrl).host}, ${openAi.apiKey === null ? 'without a key' : 'with a key'}`);
  try {
    const location = new ModelLocations(config).find(model, dtype);
    if (location.isOnHub && !existsSync(location.path))
      return warn('model', `${model} is not here yet`, `The start of the service loads it from ${new URL(config.hubUrl).host}, once.`);
    const folder = new ModelFolder(location.path, dtype, location.name);
    await folder.verify();
    const sums = folder.listedRevision === null ? 'no checksums to compare with' : 'its files are those of SHA256SUMS';
    return ok('model', `${folder.name}:${dtype}, ${folder.dimensions} dimensions; ${sums}`);
  } catch (error) {
    return fail(
      'model',
      reasonOf(error),
      'Install it again (npm ci for the one that ships with Kindred), or check EMBEDDING_MODEL and EMBEDDING_MODEL_DIR.',
    );
  }
}

import { DataDirLock, type KindredConfig } from '#config';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError } from '../service/service-error.js';
import { findRunningDatabase } from '../service/service-url.js';

/**
 * Gives `work` the URL of Kindred's database, whether the service runs or not: of the server behind DATABASE_URL, of the embedded one that runs with the service,
 * else of the embedded one, which runs only meanwhile.
 *
 * @throws ServiceError when there is no database in the data directory
 */
export async function withKindredDatabase<T>(config: KindredConfig, work: (url: string) => Promise<T>): Promise<T> {
  const { dataDir } = config.data;
  if (config.database.url !== null) return work(config.database.url);
  const running = runningDatabase(dataDir);
  if (running !== null) return work(running);
  if (!existsSync(join(dataDir, 'postgres', 'PG_VERSION')))
    throw new ServiceError(`There is no database in ${dataDir}. Set DATA_DIR or DATABASE_URL as the service has it.`);
  return withExclusiveDatabase(config, work);
}

/**
 * The same while nobody else may use the data directory; makes the embedded database when there is none.
 *
 * @throws FatalStartupError naming the process that uses it
 */
export async function withExclusiveDatabase<T>(config: KindredConfig, work: (url: string) => Promise<T>): Promise<T> {
  const lock = await DataDirLock.acquire(config.data.dataDir);
  try {
    if (config.database.url !== null) return await work(config.database.url);
    const { EmbeddedPostgres } = await import('#database');
    const server = new EmbeddedPostgres({ dataDir: config.data.dataDir });
    try {
      return await work(await server.start());
    } finally {
      await server.stop();
    }
  } finally {
    await lock.release();
  }
}

function runningDatabase(dataDir: string): string | null {
  try {
    return findRunningDatabase(dataDir);
  } catch (error) {
    if (error instanceof ServiceError) return null;
    throw error;
  }
}

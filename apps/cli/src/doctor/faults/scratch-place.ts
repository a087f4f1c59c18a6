import { loadConfig, type KindredConfig } from '#config';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';

/** Begins the name of the database, of every collection and of the folder of a drill; nothing else is ever written to. */
export const FAULTS_PREFIX = 'kindred_faults_';
const SUFFIX_BYTES = 6;

/** A fault drill cannot be run here: a sentence for people. */
export class FaultDrillError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FaultDrillError';
  }
}

/** Where a drill may break things: a database, a prefix of collections and a folder that were made for it. */
export interface ScratchPlace {
  readonly name: string;
  readonly databaseUrl: string;
  readonly folder: string;
}

/**
 * Makes the database and the folder, and removes both when `work` has ended, however it ends. The real database is only asked to make and drop another one.
 *
 * @throws FaultDrillError when the server makes none for this role
 */
export async function withScratchPlace<T>(realUrl: string, work: (place: ScratchPlace) => Promise<T>): Promise<T> {
  const { CopyConnection } = await import('#database');
  const name = `${FAULTS_PREFIX}${randomBytes(SUFFIX_BYTES).toString('hex')}`;
  const server = await CopyConnection.open(realUrl, 'kindred-faults');
  const folder = mkdtempSync(join(tmpdir(), FAULTS_PREFIX));
  try {
    await server.session.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`).catch((error: unknown) => {
      throw new FaultDrillError(`The server makes no database for the drill: ${error instanceof Error ? error.message : String(error)}`);
    });
    try {
      const url = new URL(realUrl);
      url.pathname = `/${name}`;
      return await work({ name, databaseUrl: url.href, folder });
    } finally {
      await server.session.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await server.close();
  }
}

/** Timings in which a lease, a write and a grace are over soon, and keep their order (docs/architecture.md: the lease is longer than a write, the grace than both). */
export const FAULT_TIMINGS = { leaseMs: 2_000, writeTimeoutMs: 500, graceMs: 3_200 } as const;

/** Everything that could lead to what is real is replaced; the store is the same kind, at the same address. */
export function scratchEnvironment({ name, databaseUrl, folder }: ScratchPlace): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    DATABASE_URL_FILE: '',
    DATA_DIR: folder,
    ERASURE_LOG: join(folder, 'erasures.ndjson'),
    QDRANT_COLLECTION_PREFIX: name,
    VECTOR_FALLBACK: 'none',
    // No service is paid for texts that are made up.
    EMBEDDING_PROVIDER: 'local',
    EMBEDDING_MODEL: 'all-MiniLM-L6-v2',
    EMBEDDING_WORKERS: '1',
    SYNC_INLINE: 'true',
    SYNC_LEASE_MS: String(FAULT_TIMINGS.leaseMs),
    SYNC_WRITE_TIMEOUT_MS: String(FAULT_TIMINGS.writeTimeoutMs),
    SYNC_GRACE_MS: String(FAULT_TIMINGS.graceMs),
    SCHEDULE_QUICK_CHECK: 'off',
    SCHEDULE_RECONCILE: 'off',
    SCHEDULE_TOMBSTONE_PURGE: 'off',
    SCHEDULE_CACHE_PURGE: 'off',
    SCHEDULE_STATISTICS: 'off',
  };
}

/** The configuration of a process that breaks things. @throws FaultDrillError unless all of it leads to a scratch place */
export function loadScratchConfig(environment?: Parameters<typeof loadConfig>[0]): KindredConfig {
  const config = loadConfig(environment);
  const database = config.database.url === null ? '' : new URL(config.database.url).pathname.slice(1);
  const folder = config.data.dataDir.split(sep).at(-1) ?? '';
  const names = { DATABASE_URL: database, DATA_DIR: folder, QDRANT_COLLECTION_PREFIX: config.vectorStore.collectionPrefix };
  for (const [variable, name] of Object.entries(names))
    if (!name.startsWith(FAULTS_PREFIX)) throw new FaultDrillError(`${variable} does not lead to a scratch place; nothing was touched.`);
  return config;
}

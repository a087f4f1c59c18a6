import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { createDataSource, TypeOrmUnitOfWork, type EntityType, type RelayUnitOfWork, type SqlResult, type UnitOfWork } from '#database';
import { administer, databaseUrl, newDatabaseName, runFolder, testServer } from './database-server.js';

export interface TestDatabaseOptions {
  readonly entities?: readonly EntityType[];
  /** The address at which the pools find the database, for example through a proxy. Default: its own. */
  readonly urlOf?: ((url: string) => Promise<string>) | undefined;
}

/** A migrated database of one spec file. */
export interface TestDatabase {
  readonly url: string;
  /** Of a database that may create others, on the same server. */
  readonly adminUrl: string;
  readonly unitOfWork: UnitOfWork;
  /** On a pool of its own. */
  readonly relayUnitOfWork: RelayUnitOfWork;
  readonly dataSource: DataSource;
  /** One statement, on a connection of its own. */
  query<Row = Record<string, unknown>>(sql: string, parameters?: readonly unknown[]): Promise<SqlResult<Row>>;
  /** Closes the pools and drops the database; rejects when the spec file has left a connection of its own open. */
  close(): Promise<void>;
}

const REQUEST_POOL_SIZE = 10;
const RELAY_POOL_SIZE = 4;
/** Longer than a service waits for a connection: beside other tests a moment without the processor must not be a failure. */
const CONNECT_TIMEOUT_MS = 30_000;
/** SQLSTATE object_in_use; the server has waited five seconds for the others to leave. */
const OBJECT_IN_USE = '55006';

/**
 * Clones the migrated template; a spec file does it once in `beforeAll` and calls `close` in `afterAll`.
 *
 * A database that is never closed fails the run at its end.
 */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const folder = runFolder();
  const { adminUrl, template } = await testServer();
  const name = newDatabaseName(folder, 'test');
  const lease = join(folder, 'leases', encodeURIComponent(`${name} of ${expect.getState().testPath ?? 'an unknown file'}`).slice(-200));
  writeFileSync(lease, '');
  await administer(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = databaseUrl(adminUrl, name);
  const pooled = {
    url: (await options.urlOf?.(url)) ?? url,
    entities: options.entities,
    // Who stands between means to take the database away, and looks how that is noticed; all others only share a busy machine.
    connectTimeoutMs: options.urlOf === undefined ? CONNECT_TIMEOUT_MS : undefined,
  };
  const requests = createDataSource({ ...pooled, applicationName: 'kindred-test', poolSize: REQUEST_POOL_SIZE });
  const relay = createDataSource({ ...pooled, applicationName: 'kindred-test-relay', poolSize: RELAY_POOL_SIZE });
  await Promise.all([requests.initialize(), relay.initialize()]);
  const unitOfWork = new TypeOrmUnitOfWork(() => requests);
  return {
    url,
    adminUrl,
    unitOfWork,
    relayUnitOfWork: new TypeOrmUnitOfWork(() => relay),
    dataSource: requests,
    query: (sql, parameters) => unitOfWork.query(sql, parameters),
    async close() {
      await Promise.all([requests.destroy(), relay.destroy()]);
      const left = await dropAndList(adminUrl, name);
      rmSync(lease, { force: true });
      if (left.length > 0) throw new Error(`Connections to the test database were left open: ${left.join(', ')}`);
    },
  };
}

/** Drops the database; gives back who was still connected five seconds after the pools were closed. */
async function dropAndList(adminUrl: string, name: string): Promise<string[]> {
  try {
    await administer(adminUrl, `DROP DATABASE ${name}`);
    return [];
  } catch (error) {
    if ((error as { code?: string }).code !== OBJECT_IN_USE) throw error;
  }
  const rows = await administer<{ application_name: string; state: string | null; query: string }>(
    adminUrl,
    `SELECT application_name, state, query FROM pg_stat_activity WHERE datname = '${name}'`,
  );
  await administer(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
  return rows.map((row) => `${row.application_name || 'a client without a name'} (${row.state ?? 'unknown'}: ${row.query})`);
}

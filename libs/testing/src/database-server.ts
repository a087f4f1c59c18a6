import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createDataSource, EmbeddedPostgres, runMigrations } from '#database';

const STEP_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 10;

/** Loss of power ends a test run anyway. */
const THROWAWAY_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '200',
  log_min_messages: 'fatal',
} as const;

/** Where the databases of this run live. */
export interface TestServer {
  /** Of a database that may create others. */
  readonly adminUrl: string;
  /** Name of the migrated database that spec files clone. */
  readonly template: string;
}

/**
 * The server of this jest run with its migrated template; whoever asks first starts it, in whichever jest worker that is, the others wait.
 *
 * It runs from the sources under test, so a run needs no build. The folder of the run is made and removed by jest's global setup and teardown.
 */
export async function testServer(): Promise<TestServer> {
  const folder = runFolder();
  const adminUrl = await once(folder, 'server', () => startServer(folder));
  const template = await once(folder, 'template', () => buildTemplate(folder, adminUrl));
  return { adminUrl, template };
}

export function runFolder(): string {
  const folder = process.env.KINDRED_TEST_RUN_DIR;
  if (folder === undefined) throw new Error('A test database needs the integration project: name the file *.int-spec.ts or *.e2e-spec.ts');
  return folder;
}

/** A name that no other run uses; on a server that is not ours it is noted, so that the end of the run drops it whatever happens. */
export function newDatabaseName(folder: string, purpose: string): string {
  const name = `kindred_${purpose}_${randomBytes(6).toString('hex')}`;
  if (process.env.TEST_DATABASE_URL !== undefined) appendFileSync(join(folder, 'external-databases'), `${name}\n`);
  return name;
}

export function databaseUrl(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.toString();
}

/** Runs one statement on the administrator's database; gives its rows. */
export async function administer<Row extends object = object>(adminUrl: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function startServer(folder: string): Promise<string> {
  const external = process.env.TEST_DATABASE_URL;
  if (external !== undefined && external !== '') return external;
  return new EmbeddedPostgres({ dataDir: join(folder, 'data'), settings: THROWAWAY_SETTINGS, isSupervised: false }).start();
}

async function buildTemplate(folder: string, adminUrl: string): Promise<string> {
  const template = newDatabaseName(folder, 'template');
  await administer(adminUrl, `CREATE DATABASE ${template}`);
  const source = createDataSource({ url: databaseUrl(adminUrl, template), applicationName: 'kindred-test-template', poolSize: 1 });
  await source.initialize();
  try {
    await runMigrations(source);
  } finally {
    await source.destroy();
  }
  return template;
}

/** Lets one process of the run make the value, and gives it, or its failure, to all. */
async function once(folder: string, step: string, make: () => Promise<string>): Promise<string> {
  const result = join(folder, `${step}.json`);
  if (isFirst(join(folder, `${step}.started`))) {
    let outcome: { value?: string; failure?: string };
    try {
      outcome = { value: await make() };
    } catch (error) {
      outcome = { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    writeFileSync(`${result}.new`, JSON.stringify(outcome), { mode: 0o600 });
    renameSync(`${result}.new`, result);
  }
  const startedMs = performance.now();
  while (!existsSync(result)) {
    if (performance.now() - startedMs > STEP_TIMEOUT_MS) throw new Error(`The test ${step} was not ready within ${STEP_TIMEOUT_MS} ms`);
    await delay(POLL_INTERVAL_MS);
  }
  const { value, failure } = JSON.parse(readFileSync(result, 'utf8')) as { value?: string; failure?: string };
  if (value === undefined) throw new Error(`The test ${step} failed: ${failure ?? 'no reason given'}`);
  return value;
}

/** Making a folder succeeds for exactly one process. */
function isFirst(marker: string): boolean {
  try {
    mkdirSync(marker);
    return true;
  } catch {
    return false;
  }
}

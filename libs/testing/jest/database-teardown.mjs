// Ends what the run has started: its server, or its databases on the server of TEST_DATABASE_URL.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const STOP_TIMEOUT_MS = 20_000;

export default async function tearDown() {
  const folder = process.env.KINDRED_TEST_RUN_DIR;
  if (folder === undefined) return;
  const left = readdirSync(join(folder, 'leases'));
  await removeRun(folder);
  if (left.length > 0) throw new Error(`Test databases were not closed: ${left.map((name) => readableName(name)).join(', ')}`);
}

export async function removeRun(folder) {
  await dropDatabases(folder);
  await stopServer(join(folder, 'data', 'postgres'));
  rmSync(folder, { recursive: true, force: true });
}

/** A lease is named after its database and its spec file. */
function readableName(lease) {
  return decodeURIComponent(lease);
}

async function dropDatabases(folder) {
  const file = join(folder, 'external-databases');
  if (!existsSync(file) || process.env.TEST_DATABASE_URL === undefined) return;
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  for (const name of new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))) {
    await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  }
  await client.end();
}

async function stopServer(cluster) {
  let pid;
  try {
    pid = Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return; // No test needed a database.
  }
  // Immediate: the data is thrown away, so there is nothing worth a checkpoint.
  kill(pid, 'SIGQUIT');
  const startedMs = performance.now();
  while (existsSync(join(cluster, 'postmaster.pid')) && isAlive(pid)) {
    if (performance.now() - startedMs > STOP_TIMEOUT_MS) throw new Error(`The test database server (process ${pid}) does not stop`);
    await delay(5);
  }
}

function isAlive(pid) {
  return kill(pid, 0);
}

function kill(pid, signal) {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

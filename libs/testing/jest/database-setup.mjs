// Gives every run of the integration tests a folder of its own. The server starts in it when the first test asks for a database: see ../src/database-server.ts.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeRun } from './database-teardown.mjs';

const PREFIX = 'kindred-test-';

export default async function setUp() {
  await removeAbandonedRuns();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  // Started by root, the server runs as another user, who must be able to pass; its data is closed to others all the same.
  chmodSync(folder, 0o711);
  mkdirSync(join(folder, 'leases'));
  writeFileSync(join(folder, 'owner'), String(process.pid));
  process.env.KINDRED_TEST_RUN_DIR = folder;
}

/** A run that was killed could not tidy up; the next one does it. */
async function removeAbandonedRuns() {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(tmpdir(), name);
    try {
      if (isAlive(Number(readFileSync(join(folder, 'owner'), 'utf8')))) continue;
    } catch {
      continue; // Not a run, or one that another process is making or removing right now.
    }
    await removeRun(folder).catch(() => undefined);
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

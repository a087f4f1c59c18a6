import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { FatalStartupError } from '#kernel';
import type { PostgresBinaries } from './postgres-binaries.js';
import { CHILD_ENVIRONMENT, commandAs, type RunAs } from './run-as.js';

export const ROLE_NAME = 'kindred';
export const DATABASE_NAME = 'kindred';

const PASSWORD_FILE = 'kindred.password';
const PASSWORD_BYTES = 24;
const OWNER_ONLY = 0o600;

export interface ClusterPlan {
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  /** Folder of the cluster; its parent exists. */
  readonly cluster: string;
  /** `false` skips the flush to disk after creation; for tests. */
  readonly isDurable: boolean;
}

/** Creates the cluster beside its place and moves it there when it is whole, so that a killed first start leaves nothing half made. */
export async function createCluster({ binaries, runAs, cluster, isDurable }: ClusterPlan): Promise<void> {
  const staging = `${cluster}.creating`;
  rmSync(staging, { recursive: true, force: true });
  const made = join(staging, 'cluster');
  const password = join(staging, PASSWORD_FILE);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  writeFileSync(password, randomBytes(PASSWORD_BYTES).toString('base64url'), { mode: OWNER_ONLY });
  takeOwnership(staging, runAs);
  await runInitdb(binaries, runAs, made, password, isDurable);
  renameSync(password, join(made, PASSWORD_FILE));
  renameSync(made, cluster);
  rmSync(staging, { recursive: true, force: true });
}

/** Refuses a folder with something else in it. */
export function assertVacant(cluster: string): void {
  if (!existsSync(cluster) || readdirSync(cluster).length === 0) return;
  throw new FatalStartupError(`${cluster} exists, but it is not a PostgreSQL data directory. Move it away, or choose another DATA_DIR.`);
}

/** Refuses data that this server cannot read, before the server touches it. */
export function assertReadable(binaries: PostgresBinaries, cluster: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  const expected = majorVersion(binaries.postgres);
  if (found === expected) return;
  throw new FatalStartupError(
    `The data in ${cluster} was written by PostgreSQL ${found}; this Kindred brings PostgreSQL ${expected}, which cannot read it. Nothing was changed. ` +
      `Either run PostgreSQL ${found} on that folder, and set DATABASE_URL to it (or dump it there, and restore the dump into a new DATA_DIR), ` +
      'or move the folder away to start with an empty database.',
  );
}

function majorVersion(postgres: string): string {
  const { stdout } = spawnSync(postgres, ['-V'], { env: CHILD_ENVIRONMENT, encoding: 'utf8' });
  const version = /^postgres \(PostgreSQL\) (\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new FatalStartupError(`${postgres} does not tell its version`);
  return version;
}

/** The password of the embedded server, made with the cluster and kept in it. */
export function readPassword(cluster: string): string {
  const file = join(cluster, PASSWORD_FILE);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new FatalStartupError(
      `The password of the embedded database cannot be read from ${file}. Put the file back, or give this user the right to read it.`,
      { cause },
    );
  }
}

/** As root: gives the folder to the user that PostgreSQL will run as. PostgreSQL refuses data that belongs to another user. */
export function takeOwnership(folder: string, runAs: RunAs): void {
  if (runAs.kind === 'self') return;
  const owner = runAs.kind === 'user' ? runAs : { uid: 0, gid: 0 };
  // The top folder is changed last: an interrupted change is then noticed, and finished, by the next start.
  if (statSync(folder).uid === owner.uid) return;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) lchownSync(join(folder, entry), owner.uid, owner.gid);
  chownSync(folder, owner.uid, owner.gid);
}

function runInitdb(binaries: PostgresBinaries, runAs: RunAs, folder: string, passwordFile: string, isDurable: boolean): Promise<void> {
  const command = commandAs(runAs, binaries.initdb, [
    `--pgdata=${folder}`,
    `--username=${ROLE_NAME}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The built-in provider sorts alike on every platform and in every release, so an index never outlives its collation.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(isDurable ? [] : ['--no-sync']),
  ]);
  return new Promise((resolve, reject) => {
    const output: Buffer[] = [];
    const child = spawn(command.file, command.args, {
      cwd: dirname(binaries.initdb),
      env: CHILD_ENVIRONMENT,
      uid: command.uid,
      gid: command.gid,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          new FatalStartupError(
            `The embedded database could not be created in ${dirname(folder)}: ${Buffer.concat(output).toString('utf8').trim()}`,
          ),
        );
    });
  });
}

import { FatalStartupError } from '#kernel';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostgresBinaries } from './postgres-binaries.js';
import { chooseIdentity, commandAs } from './run-as.js';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;
const asUser = isRoot ? it.skip : it;

/** Whether this machine lets root make user namespaces; containers often do not. */
const hasNamespaces = spawnSync('unshare', ['--user', '--map-user=1000', 'true']).status === 0;

describe('chooseIdentity', () => {
  const { postgres } = findPostgresBinaries();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kindred-run-as-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  asUser('runs PostgreSQL as the ordinary user that this is', () => {
    expect(chooseIdentity(postgres, folder, null)).toEqual({ kind: 'self' });
  });

  /** Stands for PostgreSQL where the checkout itself may lie below a folder that only root can enter. */
  const reachableByAll = '/bin/true';

  asRoot('takes a system user where that user can reach the data and the program', () => {
    chmodSync(folder, 0o711);
    expect(chooseIdentity(reachableByAll, folder, null)).toMatchObject({ kind: 'user', uid: expect.any(Number) as number });
  });

  asRoot('prefers the owner of existing data, so that an ordinary user can use it again', () => {
    chmodSync(folder, 0o711);
    const cluster = join(folder, 'postgres');
    mkdirSync(cluster);
    chownSync(cluster, 12_345, 12_345);
    expect(chooseIdentity(reachableByAll, folder, cluster)).toEqual({ kind: 'user', uid: 12_345, gid: 12_345 });
  });

  (isRoot && hasNamespaces ? it : it.skip)('takes a user namespace where only root can reach the data', () => {
    chmodSync(folder, 0o700);
    const runAs = chooseIdentity(postgres, folder, null);
    expect(runAs.kind).toBe('namespace');
    const command = commandAs(runAs, '/bin/sh', ['-c', 'id -u']);
    const { stdout } = spawnSync(command.file, command.args as string[], { encoding: 'utf8' });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('names the ways out when nothing works', () => {
    const attempt = (): unknown => chooseIdentity('/nowhere/postgres', folder, null);
    expect(attempt).toThrow(FatalStartupError);
    expect(attempt).toThrow(isRoot ? /ordinary user.*DATABASE_URL/ : /DATABASE_URL/);
  });
});

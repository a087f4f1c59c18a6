import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalStartupError } from '#kernel';
import { DataDirLock } from './data-dir-lock.js';

/** Holds the lock by the same means in another process, and says so. */
const HOLDER = `
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  const database = new DatabaseSync(process.argv[1] + '/kindred.lock', { timeout: 0 });
  database.exec('BEGIN EXCLUSIVE');
  process.getBuiltinModule('node:fs').writeFileSync(process.argv[1] + '/kindred.pid', String(process.pid));
  console.log('held');
  setInterval(() => database.isOpen, 1_000);
`;

describe('DataDirLock', () => {
  let folder: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kindred-lock-'));
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  async function holdElsewhere(): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['-e', HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  it('makes the directory, and can be taken again after a release', async () => {
    const nested = join(folder, 'a', 'b');
    const first = await DataDirLock.acquire(nested);
    await first.release();
    await first.release();
    expect(existsSync(join(nested, 'kindred.pid'))).toBe(false);
    const second = await DataDirLock.acquire(nested);
    await second.release();
  });

  it('refuses a second holder in the same process', async () => {
    const lock = await DataDirLock.acquire(folder);
    await expect(DataDirLock.acquire(folder)).rejects.toThrow(`is in use by process ${process.pid}`);
    await lock.release();
  });

  it('refuses while another process holds it, and names that process', async () => {
    const child = await holdElsewhere();
    const attempt = DataDirLock.acquire(folder);
    await expect(attempt).rejects.toBeInstanceOf(FatalStartupError);
    await expect(attempt).rejects.toThrow(`${folder} is in use by process ${String(child.pid)}`);
  });

  it('is free again after kill -9, whatever the pid file says', async () => {
    const child = await holdElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    // A living process with the number that is on file: the case of reused process ids, and of process 1 in every container.
    writeFileSync(join(folder, 'kindred.pid'), String(process.pid));
    const lock = await DataDirLock.acquire(folder);
    await lock.release();
  });

  it('lets exactly one of many takers have it', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => DataDirLock.acquire(folder)));
    const granted = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(granted).toHaveLength(1);
    await granted[0]?.value.release();
  });

  it('says what is wrong with a directory that cannot be used', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(DataDirLock.acquire(file)).rejects.toThrow(/cannot be used: .*DATA_DIR/s);
    mkdirSync(join(folder, 'taken', 'kindred.lock'), { recursive: true });
    await expect(DataDirLock.acquire(join(folder, 'taken'))).rejects.toBeInstanceOf(FatalStartupError);
  });
});

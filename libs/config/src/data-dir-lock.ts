import { FatalStartupError } from '#kernel';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

const LOCK_FILE = 'kindred.lock';
const PID_FILE = 'kindred.pid';
/** SQLITE_BUSY: another process, or this one, holds the lock. */
const SQLITE_BUSY = 5;

/**
 * Keeps a data directory for one process.
 *
 * The lock is one of the operating system's, on the file `kindred.lock`: it is gone the moment the process is, however it ends. So there is no stale lock to detect,
 * and neither a process id that was given to another program nor the process id 1 of every container can be mistaken for a holder. It also holds between containers
 * that share a volume. Node.js offers no file locks itself; the SQLite that is built into it takes them on every platform.
 * The file `kindred.pid` only serves the error message.
 *
 * Nothing else in this process may open `kindred.lock`: closing it again would, by the rules of POSIX, release the lock.
 */
export class DataDirLock {
  private constructor(
    private readonly database: DatabaseSync,
    private readonly pidFile: string,
  ) {}

  /**
   * Takes the lock, or fails at once. Makes the directory when it is absent.
   *
   * @throws FatalStartupError naming the process that holds the lock, or why the directory cannot be used
   */
  static acquire(dataDir: string): Promise<DataDirLock> {
    // A promise although nothing waits: a lock on another medium would have to.
    return new Promise((grant) => grant(DataDirLock.acquireNow(resolve(dataDir))));
  }

  private static acquireNow(folder: string): DataDirLock {
    const sqlite = process.getBuiltinModule('node:sqlite') as typeof import('node:sqlite') | undefined;
    if (sqlite === undefined)
      throw new FatalStartupError(
        `Node.js ${process.version} is too old to run Kindred; use the npm scripts, or node_modules/.bin/node, which npm ci has installed.`,
      );
    const pidFile = join(folder, PID_FILE);
    let database: DatabaseSync | undefined;
    try {
      mkdirSync(folder, { recursive: true });
      database = new sqlite.DatabaseSync(join(folder, LOCK_FILE), { timeout: 0 });
      database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (cause) {
      database?.close();
      throw new FatalStartupError(describeFailure(folder, pidFile, cause), { cause });
    }
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o644 });
    return new DataDirLock(database, pidFile);
  }

  /** Gives the directory free. Does nothing the second time. */
  release(): Promise<void> {
    if (this.database.isOpen) {
      // While the lock still holds: afterwards the file may already be the next holder's.
      rmSync(this.pidFile, { force: true });
      this.database.close();
    }
    return Promise.resolve();
  }
}

function describeFailure(folder: string, pidFile: string, cause: unknown): string {
  if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) {
    return `The data directory ${folder} is in use by ${holder(pidFile)}. Stop that process, or give this one a DATA_DIR of its own.`;
  }
  return `The data directory ${folder} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}. Give this user the right to write there, or set DATA_DIR to another folder (on a file system with locks).`;
}

function holder(pidFile: string): string {
  try {
    return `process ${readFileSync(pidFile, 'utf8').trim()}`;
  } catch {
    return 'another process';
  }
}

import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CHILD_ENVIRONMENT } from './run-as.js';

/** What a server has written about itself into its data folder. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** `starting`, `ready`, `stopping`, `standby`, or empty while it is still being written. */
  readonly status: string;
}

/** Line numbers of PostgreSQL's `postmaster.pid` (src/include/utils/pidfile.h). */
const PID_LINE = 0;
const PORT_LINE = 3;
const STATUS_LINE = 7;

const POLL_INTERVAL_MS = 5;
/** A fast shutdown writes a checkpoint; past this time it is told to stop at once, and recovers from its log at the next start. */
const FAST_SHUTDOWN_MS = 30_000;
const IMMEDIATE_SHUTDOWN_MS = 10_000;

/** Reads `postmaster.pid`; `null` = there is none, or it is not readable as one. */
export function readPostmasterFile(cluster: string): PostmasterFile | null {
  let text: string;
  try {
    text = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
  } catch {
    return null;
  }
  return parsePostmasterFile(text);
}

export function parsePostmasterFile(text: string): PostmasterFile | null {
  const lines = text.split('\n');
  const pid = Number(lines[PID_LINE]);
  // A standalone backend writes its pid negated.
  if (!Number.isInteger(pid) || pid === 0) return null;
  return { pid: Math.abs(pid), port: Number(lines[PORT_LINE] ?? 0), status: (lines[STATUS_LINE] ?? '').trim() };
}

/**
 * Stops the server that an earlier process left running on this data folder, or clears what a killed server left behind.
 *
 * A process that merely got the same number is neither stopped nor mistaken for a server: PostgreSQL itself would refuse to start then.
 */
export async function stopLeftover(cluster: string): Promise<'none' | 'stopped' | 'cleared'> {
  const file = readPostmasterFile(cluster);
  if (file === null) return 'none';
  if (!isServerOf(file.pid, cluster)) {
    rmSync(join(cluster, 'postmaster.pid'), { force: true });
    return 'cleared';
  }
  await stopServer(file.pid, cluster);
  return 'stopped';
}

/** Fast shutdown, awaited: sessions are ended, a checkpoint is written. */
export async function stopServer(pid: number, cluster: string): Promise<void> {
  const isGone = (): boolean => !isServerOf(pid, cluster);
  signal(pid, 'SIGINT');
  if (await holds(isGone, FAST_SHUTDOWN_MS)) return;
  signal(pid, 'SIGQUIT');
  if (await holds(isGone, IMMEDIATE_SHUTDOWN_MS)) return;
  throw new Error(`The PostgreSQL server with process id ${pid} does not stop`);
}

/** Whether the process is a live PostgreSQL server whose data folder this is. */
export function isServerOf(pid: number, cluster: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  if (process.platform === 'linux') {
    // A server's working directory is its data folder; a zombie has none.
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(cluster);
    } catch {
      return isServerByCommandLine(pid, cluster);
    }
  }
  return isServerByCommandLine(pid, cluster);
}

function isServerByCommandLine(pid: number, cluster: string): boolean {
  if (process.platform === 'win32') return true;
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { env: CHILD_ENVIRONMENT, encoding: 'utf8' });
  return typeof stdout === 'string' && stdout.includes('postgres') && stdout.includes(cluster);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until the condition holds; `false` = it did not within the time. */
export async function holds(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const startedMs = performance.now();
  while (!condition()) {
    if (performance.now() - startedMs > timeoutMs) return false;
    await delay(POLL_INTERVAL_MS);
  }
  return true;
}

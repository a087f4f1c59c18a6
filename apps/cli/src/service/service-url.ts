import { withoutTrailingSlashes } from '#kernel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceError } from './service-error.js';
import { UsageError } from './usage-error.js';

/** Addresses to listen on, which are none to call; the loopback address of the same family reaches the same service. */
const ANY_ADDRESS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };

/** What a running service leaves in its data directory. */
interface RunFileContent {
  readonly pid: number;
  readonly url: string;
  readonly database_url: string;
}

/** Reads a URL from the command line. @throws UsageError */
export function parseServiceUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UsageError(`--url must be like http://127.0.0.1:3000, not ${text}`);
  }
  return `${url.origin}${withoutTrailingSlashes(url.pathname)}`;
}

/**
 * Finds the service that runs with this data directory, by the file it has left there.
 *
 * @throws ServiceError when none runs
 */
export function findRunningService(dataDir: string): string {
  const url = new URL(readRunFile(dataDir).url);
  url.hostname = ANY_ADDRESS[url.hostname] ?? url.hostname;
  return url.origin;
}

/**
 * Finds the database of the service that runs with this data directory; the embedded one runs only as long as the service does.
 *
 * @throws ServiceError when none runs
 */
export function findRunningDatabase(dataDir: string): string {
  return readRunFile(dataDir).database_url;
}

function readRunFile(dataDir: string): RunFileContent {
  const path = join(dataDir, 'run.json');
  let running: RunFileContent;
  try {
    running = JSON.parse(readFileSync(path, 'utf8')) as RunFileContent;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throw new ServiceError(`${path} belongs to another user. Run this as the user of the service, or give --url.`);
    throw new ServiceError(
      `No service runs with the data directory ${dataDir}. Start one with npm start, set DATA_DIR, or give --url.`,
      null,
      {
        isPassing: true,
      },
    );
  }
  if (!isAlive(running.pid)) {
    throw new ServiceError(
      `The service with the data directory ${dataDir} has ended without a word. Start it with npm start, or give --url.`,
      null,
      { isPassing: true },
    );
  }
  return running;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

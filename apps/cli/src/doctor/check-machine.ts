import { describeConfig, InvalidEnvironmentError, loadConfig, type DataConfig, type KindredConfig, type ServerConfig } from '#config';
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fail, ok, reasonOf, skipped, warn, type Finding } from './finding.js';

const MEBIBYTE = 1_048_576;
/** Below this, an embedded database or a snapshot of a small index may not fit any more. */
const FREE_FAIL_MIB = 200;
const FREE_WARN_MIB = 1_024;

export function checkNode(): Finding {
  const detail = `${process.version} on ${process.platform} ${process.arch}`;
  if (process.getBuiltinModule('node:sqlite') !== undefined) return ok('Node.js', detail);
  return fail('Node.js', `${detail} is too old`, 'Use the npm scripts or npx kindred, which bring their own, or Node.js 24.');
}

/** @returns also the configuration, when it is sound */
export function checkConfig(): { readonly finding: Finding; readonly config: KindredConfig | null } {
  try {
    const config = loadConfig();
    const changed = describeConfig().entries.filter(({ origin }) => origin !== 'default').length;
    return { finding: ok('configuration', `${changed} variables are no defaults; kindred config --changed shows them`), config };
  } catch (error) {
    if (!(error instanceof InvalidEnvironmentError)) throw error;
    const detail = error.problems.map(({ variable, rule }) => `${variable} ${rule}`).join('; ');
    return { finding: fail('configuration', detail, 'Correct these variables; .env.example explains each.'), config: null };
  }
}

export function checkDataDir({ dataDir }: DataConfig): Finding {
  const name = 'data directory';
  let present = dataDir;
  while (!existsSync(present)) present = dirname(present);
  try {
    accessSync(present, constants.W_OK | constants.X_OK);
  } catch {
    return fail(name, `${present} cannot be written to by this user`, 'Give this user the right to, or set DATA_DIR to another folder.');
  }
  const { bavail, bsize } = statfsSync(present);
  const freeMib = Math.floor((bavail * bsize) / MEBIBYTE);
  const detail = `${dataDir}${present === dataDir ? '' : ' (will be made)'}, ${freeMib} MiB free`;
  if (freeMib < FREE_FAIL_MIB) return fail(name, detail, 'Free some space, or set DATA_DIR to a folder on another disk.');
  return freeMib < FREE_WARN_MIB ? warn(name, detail, 'Free some space before it runs out.') : ok(name, detail);
}

/** @param isServing whether a service runs with the data directory, which then has its port */
export async function checkPort({ host, port }: ServerConfig, isServing: boolean): Promise<Finding> {
  const name = 'port';
  if (isServing) return skipped(name, 'the running service has its own');
  if (port === 0) return ok(name, 'any free one');
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return ok(name, `${host}:${port} is free`);
  } catch (error) {
    const advice = 'Set PORT to another one, or 0 for any; or stop the program that has it. HOST must be an address of this machine.';
    return fail(name, `${host}:${port} cannot be listened on: ${reasonOf(error)}`, advice);
  } finally {
    server.close();
  }
}

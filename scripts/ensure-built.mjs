// Builds when dist is missing or a source is newer than the last build; otherwise does nothing, in some milliseconds.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', '.built');
const isTest = /\.(spec|int-spec|e2e-spec|fault-spec)\.ts$/;

function newestSourceMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSourceMs(path));
    else if (entry.name.endsWith('.ts') && !isTest.test(entry.name)) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

const isForced = process.argv.includes('--force');
const sources = ['apps', 'libs', 'bench', 'eval'].map((name) => join(root, name)).filter((path) => existsSync(path));
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package.json'].map((name) => join(root, name));
const newestMs = Math.max(
  ...sources.map(newestSourceMs),
  ...settings.filter((path) => existsSync(path)).map((path) => statSync(path).mtimeMs),
);
const builtMs = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;

if (isForced || newestMs > builtMs) {
  const nest = join(root, 'node_modules', '@nestjs', 'cli', 'bin', 'nest.js');
  if (!existsSync(nest)) {
    // A production install carries dist, not the compiler.
    if (builtMs > 0) process.exit(0);
    console.error('There is no build in dist and no compiler to make one: run `npm ci` with development dependencies first.');
    process.exit(1);
  }
  const startedMs = Date.now();
  if (isForced) rmSync(join(root, 'dist'), { recursive: true, force: true });
  const built = spawnSync(process.execPath, [nest, 'build', 'api'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (built.status !== 0) process.exit(built.status ?? 1);
  writeFileSync(stamp, '');
  // Sources saved while the compiler ran count as newer than this build.
  utimesSync(stamp, startedMs / 1000, startedMs / 1000);
}

// `npx kindred` runs node_modules/.bin/kindred. A `bin` in package.json would make npx install this package into its cache first, which npm
// refuses with strict-allow-scripts because of the `prepare` script, whatever allowScripts says.
function linkCommand(name, text) {
  const path = join(root, 'node_modules', '.bin', name);
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text, { mode: 0o755 });
}

if (existsSync(join(root, 'node_modules', '.bin'))) {
  linkCommand('kindred', '#!/bin/sh\nexec node "$(dirname "$0")/../../dist/apps/cli/src/main.js" "$@"\n');
  if (process.platform === 'win32') linkCommand('kindred.cmd', '@node "%~dp0..\\..\\dist\\apps\\cli\\src\\main.js" %*\r\n');
}

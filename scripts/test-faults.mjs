// The fault tests: `npm run test:faults [-- --long] [names of files …]`. Prints what was injected, what was measured, and how to repeat the run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isLong = process.argv.includes('--long');
const patterns = process.argv.slice(2).filter((word) => word !== '--long');
// Short runs always take the same seed, so that a change is judged and not its luck; long runs draw one.
const seed = process.env.FAULT_SEED ?? (isLong ? String(Math.floor(Math.random() * 1_000_000_000)) : '1');
const folder = mkdtempSync(join(tmpdir(), 'kindred-faults-'));

const jest = ['--experimental-vm-modules', '--no-warnings', join(root, 'node_modules', 'jest', 'bin', 'jest.js')];
// One file at a time: two would measure each other.
const run = ['--selectProjects', 'faults', '--runInBand', '--passWithNoTests=false', ...patterns];
const startedMs = Date.now();
const { status } = spawnSync(process.execPath, [...jest, ...run], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FAULT_RUN_DIR: folder, FAULT_SEED: seed, ...(isLong ? { FAULT_LONG: 'true' } : {}) },
});

const collected = join(folder, 'figures.jsonl');
const entries = existsSync(collected)
  ? readFileSync(collected, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];
rmSync(folder, { recursive: true, force: true });

const table = (title, rows) => {
  if (rows.length === 0) return;
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  console.log(`\n${title}`);
  for (const row of rows)
    console.log(
      `  ${row
        .map((cell, column) => String(cell).padEnd(widths[column]))
        .join('  ')
        .trimEnd()}`,
    );
};
table(
  'Injected',
  entries.filter(({ kind }) => kind === 'trials').map(({ test, what, count }) => [test, what.trim(), count]),
);
table(
  'Measured',
  entries
    .filter(({ kind }) => kind === 'figure')
    .map(({ name, value, unit, goal, isMet }) => [
      name,
      `${value} ${unit}`,
      goal === undefined ? '' : `goal ${goal}: ${isMet ? 'met' : 'MISSED'}`,
    ]),
);
const seconds = Math.round((Date.now() - startedMs) / 1000);
console.log(
  `\n${isLong ? 'Long' : 'Short'} run, seed ${seed}, ${seconds} s. The same again: FAULT_SEED=${seed} npm run test:faults --${isLong ? ' --long' : ''} ${patterns.join(' ')}`,
);
process.exit(status ?? 1);

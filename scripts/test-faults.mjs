// Runs the fault tests and prints what they measured: `npm run test:faults [-- --long] [part of a file's name ...]`.
//
// The short form is for every change. Figures are taken by `npm run test:faults -- figures` and in the long form, which also raises the counts, draws a seed, and runs the kill and change tests in full. `FAULT_SEED=…` repeats a run.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const isLong = process.argv.includes('--long');
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const FIXED_SEED = 1;
const MAX_SEED = 1_000_000;
const seed = process.env.FAULT_SEED ?? String(isLong ? Math.floor(Math.random() * MAX_SEED) : FIXED_SEED);
/** Most of a fault test is waiting. */
const FAULT_WORKERS = '3';
/** Figures are taken alone: on two cores a test beside them would be in them. */
const FIGURES = 'figures\\.fault-spec\\.ts$';

const folder = mkdtempSync(join(tmpdir(), 'kindred-faults-'));
const environment = {
  ...process.env,
  FAULT_RUN_DIR: folder,
  FAULT_SEED: seed,
  FAULT_LONG: String(isLong),
  ...(isLong ? { KILL_ROUNDS: '8', BULK_ROWS: '5000' } : {}),
};

function run(title, parameters) {
  console.log(`\n== ${title} (seed ${seed})`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--experimental-vm-modules', '--no-warnings', jest, '--passWithNoTests', ...parameters], {
      cwd: root,
      env: environment,
      stdio: 'inherit',
    });
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
}

const startedMs = performance.now();
const only = names.length === 0 ? [] : [names.join('|')];
const results = [
  await run('faults', [
    '--selectProjects',
    'faults',
    '--maxWorkers',
    FAULT_WORKERS,
    '--testPathIgnorePatterns',
    FIGURES,
    ...only.flatMap((name) => ['--testPathPatterns', name]),
  ]),
];
if (isLong || names.length > 0) {
  results.push(await run('figures', ['--selectProjects', 'faults', '--maxWorkers', '1', '--testPathPatterns', figuresPattern()]));
}
if (isLong && names.length === 0) {
  results.push(await run('kills and changes, in full', ['--maxWorkers', '1', 'apps/api/test/kill.e2e', 'apps/api/test/changes.e2e']));
}
const hasFailed = results.some((code) => code !== 0);
printTables();
rmSync(folder, { recursive: true, force: true });
console.log(`\n${hasFailed ? 'FAILED' : 'passed'} in ${Math.round((performance.now() - startedMs) / 1000)} s, seed ${seed}`);
if (hasFailed)
  console.log(`Again: FAULT_SEED=${seed} npm run test:faults -- ${[isLong ? '--long' : '', ...names].filter(Boolean).join(' ')}`);
process.exit(hasFailed ? 1 : 0);

function figuresPattern() {
  return names.length === 0 ? FIGURES : `^(?=.*(${names.join('|')})).*${FIGURES}`;
}

function printTables() {
  const file = join(folder, 'figures.jsonl');
  if (!existsSync(file)) return;
  const entries = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const trials = entries.filter(({ kind }) => kind === 'trials');
  const figures = entries.filter(({ kind }) => kind === 'figure');
  print(
    'injected',
    ['test', 'what', 'count', 'seed'],
    sumUp(trials).map(({ test, what, count, seed: own }) => [test, what, count, own ?? '']),
  );
  print(
    'figures',
    ['figure', 'value', 'goal', ''],
    figures.map(({ name, value, unit, goal, isMet }) => [
      name,
      `${value} ${unit}`,
      goal ?? '',
      goal === undefined ? '' : isMet ? 'met' : 'MISSED',
    ]),
  );
}

/** Tests that try several combinations record each of them. */
function sumUp(trials) {
  const sums = new Map();
  for (const trial of trials) {
    const key = `${trial.test} ${trial.what}`;
    sums.set(key, { ...trial, count: (sums.get(key)?.count ?? 0) + trial.count });
  }
  return [...sums.values()].sort((a, b) => Number(a.test.slice(1)) - Number(b.test.slice(1)));
}

function print(title, head, rows) {
  if (rows.length === 0) return;
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  console.log(`\n== ${title}`);
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder in which scripts/test-faults.mjs collects what a run measured; without it figures are printed only. */
const RUN_FOLDER = process.env['FAULT_RUN_DIR'];
const FIXED_SEED = 1;

/** Whether this is the long form of the run: `npm run test:faults -- --long`. */
export const isLongFaultRun = process.env['FAULT_LONG'] === 'true';

/** The seed of the run. Short runs always take the same one, so that a change is judged and not its luck; long runs draw one. `FAULT_SEED` repeats it. */
export const faultSeed = Number(process.env['FAULT_SEED'] ?? FIXED_SEED);

/** How often something is tried in this run. */
export const faultTrials = (short: number, long: number): number => (isLongFaultRun ? long : short);

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** In words, for the table: `<= 5 s`. */
  readonly goal?: string;
  readonly isMet?: boolean;
}

export interface Trials {
  /** Number of the test in docs/operations.md: `T4`. */
  readonly test: string;
  /** What was injected, in a few words. */
  readonly what: string;
  readonly count: number;
  readonly seed?: number;
}

/** Puts a measured value into the table at the end of the run. A goal that is missed is reported and fails nothing: machines differ. */
export function recordFigure(figure: Figure): void {
  const goal = figure.goal === undefined ? '' : ` (goal ${figure.goal}: ${figure.isMet === true ? 'met' : 'MISSED'})`;
  say(`figure: ${figure.name}: ${figure.value} ${figure.unit}${goal}`);
  collect({ kind: 'figure', ...figure });
}

/** Puts a time into the table: how long something took at worst, and how long it may take. */
export function recordDuration(name: string, tookMs: number, goalMs: number): void {
  recordFigure({ name, value: Math.round(tookMs), unit: 'ms', goal: `<= ${goalMs} ms`, isMet: tookMs <= goalMs });
}

/** Puts what was injected, and how often, into the table at the end of the run. */
export function recordTrials(trials: Trials): void {
  say(`trials: ${trials.test} ${trials.what}: ${trials.count}${trials.seed === undefined ? '' : ` (seed ${trials.seed})`}`);
  collect({ kind: 'trials', ...trials });
}

function say(line: string): void {
  // Not console.log: jest would add four lines to each.
  process.stderr.write(`  ${line}\n`);
}

function collect(entry: object): void {
  if (RUN_FOLDER !== undefined) appendFileSync(join(RUN_FOLDER, 'figures.jsonl'), `${JSON.stringify(entry)}\n`);
}

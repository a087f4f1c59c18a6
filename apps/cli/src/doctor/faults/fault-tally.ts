import type { IndexReport } from './index-check.js';
import { STORE_FAULTS, type StoreFault } from './store-faults.js';

export type DrillFault = StoreFault | 'killed' | 'frozen' | 'restored';

const DRILL_FAULTS: readonly DrillFault[] = ['killed', 'frozen', 'restored', ...STORE_FAULTS];

/** The invariants that a drill looks at, in words. */
export const INVARIANTS = {
  I1: 'no row without its point',
  I2: 'no point without its row',
  I3: 'every point says what its row says: text, filter fields, model',
  I4: 'the revision of a key never goes back',
  I6: 'nothing stays pending, and what is dead has a reason',
  I7: 'every acknowledged write is there, and nothing else',
  certificate: 'the reconciliation finds the same: nothing',
} as const;
export type Invariant = keyof typeof INVARIANTS;

/** What a drill of this kind does not try. */
export const NOT_TRIED = [
  'I5: one deployment serves one tenant',
  'searches and requests over HTTP',
  'faults of PostgreSQL, of the network and of disks',
  'generations that are built, switched or retired meanwhile',
  'writes that arrive later than their time-out (the protocol rules them out)',
];

export interface InvariantResult {
  readonly checked: number;
  readonly violations: number;
  readonly examples: readonly string[];
}

export interface FaultReport {
  readonly seed: number;
  readonly store: string;
  readonly rounds: number;
  readonly writes: number;
  readonly elapsedMs: number;
  readonly faults: Readonly<Record<DrillFault, number>>;
  readonly invariants: Readonly<Record<Invariant, InvariantResult>>;
  readonly hasHeld: boolean;
}

const EXAMPLES_MAXIMUM = 10;

/** Counts what was done, and what held. */
export class FaultTally {
  private rounds = 0;
  private readonly faults = Object.fromEntries(DRILL_FAULTS.map((fault) => [fault, 0])) as Record<DrillFault, number>;
  private readonly results = new Map<Invariant, { checked: number; violations: number; examples: string[] }>(
    (Object.keys(INVARIANTS) as Invariant[]).map((name) => [name, { checked: 0, violations: 0, examples: [] }]),
  );
  private revs: Readonly<Record<string, number>> = {};

  count(fault: DrillFault): void {
    this.faults[fault]++;
  }

  /** @param lost ids whose row is not what was acknowledged last */
  judge(report: IndexReport, lost: readonly string[]): void {
    this.rounds++;
    this.note('I1', report.rows, report.missing);
    this.note('I2', report.points, report.orphans);
    this.note('I3', report.points, report.different);
    const backwards = Object.entries(report.revs).filter(([id, rev]) => rev < (this.revs[id] ?? 0));
    this.note(
      'I4',
      Object.keys(report.revs).length,
      backwards.map(([id]) => id),
    );
    this.revs = { ...this.revs, ...report.revs };
    this.note('I6', report.rows, report.unsettled);
    this.note('I7', report.rows, lost);
    this.note('certificate', 1, report.certificate === 'clean' ? [] : [report.certificate]);
  }

  report(of: Pick<FaultReport, 'seed' | 'store' | 'writes' | 'elapsedMs'>): FaultReport {
    const invariants = Object.fromEntries(this.results) as unknown as FaultReport['invariants'];
    const hasHeld = this.rounds > 0 && Object.values(invariants).every(({ violations }) => violations === 0);
    return { ...of, rounds: this.rounds, faults: this.faults, invariants, hasHeld };
  }

  private note(invariant: Invariant, checked: number, violations: readonly string[]): void {
    const result = this.results.get(invariant)!;
    result.checked += checked;
    result.violations += violations.length;
    result.examples = [...result.examples, ...violations].slice(0, EXAMPLES_MAXIMUM);
  }
}

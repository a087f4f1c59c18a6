import { INVARIANTS, type DrillFault, type FaultReport, type Invariant } from './fault-report.js';
import type { IndexReport } from './index-check.js';
import { STORE_FAULTS } from './store-faults.js';

const DRILL_FAULTS: readonly DrillFault[] = ['killed', 'frozen', 'restored', ...STORE_FAULTS];

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

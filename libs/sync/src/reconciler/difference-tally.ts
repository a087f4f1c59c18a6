import { DIFFERENCE_KINDS, type DifferenceKind, type DifferenceReport } from './certificate.js';

const EXAMPLES_MAXIMUM = 100;

/** Counts differences by kind, and remembers the first ids of each. */
export class DifferenceTally {
  private readonly byKind = new Map<DifferenceKind, { count: number; readonly examples: string[] }>(
    DIFFERENCE_KINDS.map((kind) => [kind, { count: 0, examples: [] }]),
  );

  add(kind: DifferenceKind, id: string): void {
    const known = this.byKind.get(kind)!;
    known.count++;
    if (known.examples.length < EXAMPLES_MAXIMUM) known.examples.push(id);
  }

  countOf(kind: DifferenceKind): number {
    return this.byKind.get(kind)!.count;
  }

  get total(): number {
    return DIFFERENCE_KINDS.reduce((sum, kind) => sum + this.countOf(kind), 0);
  }

  report(): Record<DifferenceKind, DifferenceReport> {
    const reports: Partial<Record<DifferenceKind, DifferenceReport>> = {};
    for (const [kind, { count, examples }] of this.byKind) reports[kind] = { count, examples: [...examples] };
    return reports as Record<DifferenceKind, DifferenceReport>;
  }
}

import { FaultTally } from './fault-tally.js';
import type { IndexReport } from './index-check.js';

describe('FaultTally', () => {
  const clean: IndexReport = {
    rows: 2,
    points: 2,
    missing: [],
    orphans: [],
    different: [],
    unsettled: [],
    revs: { a: 5, b: 6 },
    certificate: 'clean',
  };
  const of = { seed: 1, store: 'local', writes: 3, elapsedMs: 4 };

  function judged(...reports: (Partial<IndexReport> & { lost?: readonly string[] })[]) {
    const tally = new FaultTally();
    for (const { lost = [], ...report } of reports) tally.judge({ ...clean, ...report }, lost);
    return tally.report(of);
  }

  it('holds when every look is clean, and not when there was none', () => {
    expect(judged({}, {})).toMatchObject({ hasHeld: true, rounds: 2, invariants: { I1: { checked: 4, violations: 0 } } });
    expect(judged().hasHeld).toBe(false);
  });

  it.each([
    ['I1', { missing: ['a'] }],
    ['I2', { orphans: ['a'] }],
    ['I3', { different: ['a'] }],
    ['I4', { revs: { a: 4 } }],
    ['I6', { unsettled: ['a is pending'] }],
    ['I7', { lost: ['a'] }],
    ['certificate', { certificate: 'differs' }],
  ] as const)('%s is broken by one violation, also of an earlier round', (invariant, report) => {
    const { hasHeld, invariants } = judged({}, { ...report }, { revs: { a: 9 } });
    expect(hasHeld).toBe(false);
    expect(Object.entries(invariants).flatMap(([name, { violations }]) => (violations === 0 ? [] : [name]))).toEqual([invariant]);
  });
});

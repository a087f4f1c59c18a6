import type { StoreFault } from './store-faults.js';

export type DrillFault = StoreFault | 'killed' | 'frozen' | 'restored';

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

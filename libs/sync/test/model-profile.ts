/** What may happen next in a run of the model. */
export type ModelOperation =
  'write' | 'advance' | 'pass' | 'faulty pass' | 'stall' | 'resume' | 'crash' | 'late' | 'expire' | 'grace' | 'clock' | 'repair' | 'damage';

/** What a run is about: the steps of relays, the relays' own treatment of failures, or damage and repair. Chances in percent; the rest is `advance`. */
export type ModelProfile = 'steps' | 'stalls' | 'failures' | 'damage';

export const MODEL_WEIGHTS: Readonly<Record<ModelProfile, Partial<Record<ModelOperation, number>>>> = {
  steps: { write: 25, pass: 12, crash: 12, late: 7, expire: 5, grace: 4 },
  stalls: { write: 22, pass: 22, stall: 10, resume: 16, expire: 12, late: 2, grace: 2 },
  failures: { write: 25, pass: 5, 'faulty pass': 20, crash: 12, late: 9, expire: 5, grace: 3, clock: 2, repair: 1, damage: 1 },
  damage: { write: 22, pass: 12, 'faulty pass': 8, crash: 8, late: 5, expire: 4, grace: 3, repair: 6, damage: 8 },
};
export const MODEL_PROFILES = Object.keys(MODEL_WEIGHTS) as ModelProfile[];

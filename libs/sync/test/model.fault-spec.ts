import { faultSeed, faultTrials, recordTrials } from '#testing';
import { Logger } from '@nestjs/common';
import { ModelTally, ProtocolModel } from './protocol-model.js';
import { SyncHarness } from './sync-harness.js';

/** Of operations; a run of the model has 30 and the repairs at its end. */
const OPERATIONS = faultTrials(2_000, 50_000);
const STEPS = 30;
const RUNS = Math.ceil(OPERATIONS / STEPS);
/** Each on a database of its own. */
const LANES = 3;
const REPLAYED_SEEDS = 3;

describe(`T1: seeded model of the protocol, first seed ${faultSeed}`, () => {
  const harnesses: SyncHarness[] = [];
  beforeAll(async () => {
    // What goes wrong is meant to; thousands of lines would hide what is not.
    Logger.overrideLogger(false);
    harnesses.push(...(await Promise.all(Array.from({ length: LANES }, () => SyncHarness.create()))));
  });
  afterAll(() => Promise.all(harnesses.map((harness) => harness.close())));

  it(`keeps P1 to P5 in ${OPERATIONS} random operations`, async () => {
    const tally = new ModelTally();
    await Promise.all(
      harnesses.map(async (harness, lane) => {
        for (let run = lane; run < RUNS; run += LANES) await new ProtocolModel(harness, faultSeed + run, { tally }).run(STEPS);
      }),
    );
    recordTrials({ test: 'T1', what: 'operations of the model', count: tally.operations, seed: faultSeed });
    for (const [kind, count] of tally.faults) recordTrials({ test: 'T1', what: `  ${kind}`, count });
    recordTrials({ test: 'T1', what: 'injected faults of the model', count: tally.faultCount, seed: faultSeed });
    expect(tally.operations).toBeGreaterThanOrEqual(OPERATIONS);
  }, 3_600_000);

  it('repeats a run, operation by operation, from its seed', async () => {
    // New ones: which of two equal entries is claimed first is up to a table that has seen thousands of runs.
    const fresh = await Promise.all(Array.from({ length: LANES }, () => SyncHarness.create()));
    harnesses.push(...fresh);
    for (let seed = faultSeed; seed < faultSeed + REPLAYED_SEEDS; seed++) {
      const histories: string[] = [];
      for (const harness of fresh) {
        const model = new ProtocolModel(harness, seed);
        await model.run(STEPS);
        histories.push(model.history.join(' '));
      }
      expect(new Set(histories).size).toBe(1);
    }
  }, 120_000);
});

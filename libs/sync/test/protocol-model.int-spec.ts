import { ProtocolModel } from './protocol-model.js';
import { SyncHarness } from './sync-harness.js';

/** Fixed, so that a failure can be repeated; each run prints its seed and its history when it fails. */
const FIRST_SEED = 1;
const RUNS = 200;
const STEPS = 24;
/** Each on a database of its own. */
const LANES = 4;

describe('protocol model', () => {
  const harnesses: SyncHarness[] = [];
  beforeAll(async () => {
    harnesses.push(...(await Promise.all(Array.from({ length: LANES }, () => SyncHarness.create()))));
  });
  afterAll(() => Promise.all(harnesses.map((harness) => harness.close())));

  it(`keeps P1 to P4 in ${RUNS} random runs of ${STEPS} steps (seeds ${FIRST_SEED} to ${FIRST_SEED + RUNS - 1})`, async () => {
    await Promise.all(
      harnesses.map(async (harness, lane) => {
        for (let run = lane; run < RUNS; run += LANES) await new ProtocolModel(harness, FIRST_SEED + run).run(STEPS);
      }),
    );
  }, 120_000);
});

import { faultTrials, recordTrials } from '#testing';
import { Logger } from '@nestjs/common';
import { letGo, ModelViolation, ProtocolModel } from './protocol-model.js';
import { PROTOCOL_MUTANTS, type ProtocolMutant } from './protocol-mutants.js';
import { SyncHarness } from './sync-harness.js';

/** Runs of the model within which a missing guard must be noticed; a run that notices is repeated from its seed. */
const RUNS = faultTrials(400, 3_000);
const STEPS = 60;

/** T2: a test that cannot fail proves nothing. Each guard of the protocol is taken out once, and the model of T1 has to notice. */
describe('T2: mutants of the protocol', () => {
  let harness: SyncHarness;
  let killed = 0;
  let capture: string;

  beforeAll(async () => {
    Logger.overrideLogger(false);
    harness = await SyncHarness.create();
    const { rows } = await harness.database.query<{ text: string }>(
      `SELECT pg_get_functiondef('kindred_mark_changed(text,uuid[])'::regprocedure) AS text`,
    );
    capture = rows[0]!.text;
  });
  afterAll(async () => {
    recordTrials({ test: 'T2', what: `mutants noticed, of ${PROTOCOL_MUTANTS.length}`, count: killed });
    await harness.close();
  });
  afterEach(async () => {
    harness.store.weaken(null);
    await letGo(harness);
    await harness.database.query(capture);
  });

  async function mutate({ capture: mutation, store }: ProtocolMutant): Promise<void> {
    harness.store.weaken(store ?? null);
    if (mutation === undefined) return;
    const mutated = capture.replaceAll(mutation.replace, mutation.by);
    expect(mutated).not.toBe(capture);
    await harness.database.query(mutated);
  }

  /** The first seed whose run finds a violation, and what it says. */
  async function findViolation(mutant: ProtocolMutant): Promise<{ seed: number; violation: ModelViolation } | null> {
    const firstSeed = mutant.seed ?? 1;
    for (let seed = firstSeed; seed < firstSeed + RUNS; seed++) {
      try {
        await new ProtocolModel(harness, seed, {
          mutant,
          profile: mutant.profile ?? (mutant.repair === undefined ? 'steps' : 'damage'),
        }).run(STEPS);
      } catch (error) {
        if (error instanceof ModelViolation) return { seed, violation: error };
        throw error;
      }
    }
    return null;
  }

  it.each(PROTOCOL_MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s',
    async (name, mutant) => {
      await mutate(mutant);
      const found = await findViolation(mutant);
      expect(found).not.toBeNull();
      process.stderr.write(`  ${name}: seed ${found!.seed}: ${found!.violation.message.split('\n')[0]!.replace(/^seed \d+: /, '')}\n`);
      if (mutant.mutated?.some(({ isHit }) => isHit) === false) mutant.mutated.at(-1)!.assertHit();
      killed++;
    },
    1_200_000,
  );
});

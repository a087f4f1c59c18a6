import { faultSeed, faultTrials, isLongFaultRun, recordFigure, recordTrials, SeededRandom, type ServerProcess } from '#testing';
import { FaultStage } from './fault-stage.js';
import { percentile, rounded, timeWrites } from './service-stage.js';

const LATENCIES_MS = [50, 500, 2_000];
const LOSSES = [0.01, 0.05, 0.1];
/** In the short form: one that writes survive, and one in which nothing gets through in time. */
const SHORT: readonly (readonly [number, number])[] = [
  [50, 0.05],
  [2_000, 0.1],
];
const COMBINATIONS = isLongFaultRun ? LATENCIES_MS.flatMap((ms) => LOSSES.map((loss) => [ms, loss] as const)) : SHORT;
const LASTS_MS = faultTrials(2_500, 20_000);
const PER_SECOND = 20;
const GOAL = 1.2;
/** Far beyond the noise of a busy machine: then writes do wait for the index. */
const DEFECT = 20;

describe(`T9: writes over HTTP while the way to the index is slow and lossy, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  const acknowledged: string[] = [];
  let stage: FaultStage;
  let api: ServerProcess;

  beforeAll(async () => {
    stage = await FaultStage.set();
    api = await stage.start('api');
    // The first writes of a process pay for compilation.
    await writeFor(faultTrials(1_000, 3_000));
  }, 120_000);
  afterAll(() => stage.strike());

  /** p99 of writes at a constant rate. */
  async function writeFor(durationMs: number): Promise<number> {
    return percentile(await timeWrites(api, { perSecond: PER_SECOND, durationMs, onCreated: (id) => acknowledged.push(id) }), 0.99);
  }

  it.each(COMBINATIONS)(
    'late by %d ms, a share of %d of the exchanges lost: every write is taken, and afterwards rows and index agree',
    async (latencyMs, loss) => {
      const baseMs = await writeFor(LASTS_MS);
      let lost = 0;
      for (const kind of ['reset', 'drop-reply'] as const) {
        const isLost = (): boolean => {
          const isHit = random.chance(loss / 2);
          if (isHit) lost++;
          return isHit;
        };
        stage.indexProxy.inject({ kind }, { on: isLost, times: Number.MAX_SAFE_INTEGER });
      }
      // Half of it on the way there, half on the way back.
      await stage.indexProxy.setMode({ kind: 'delay', ms: latencyMs / 2, jitterMs: latencyMs / 10 });
      const lateMs = await writeFor(LASTS_MS);
      stage.indexProxy.clearFaults();
      await stage.indexProxy.setMode({ kind: 'pass' });
      await stage.untilInStep(120_000);
      const { rows } = await stage.query<{ id: string }>('SELECT id FROM projects');
      const known = new Set(rows.map(({ id }) => id));
      expect(acknowledged.filter((id) => !known.has(id))).toEqual([]);
      expect(known.size).toBe(acknowledged.length);
      const ratio = lateMs / baseMs;
      const name = `${latencyMs} ms and ${loss * 100} % loss before the index`;
      recordTrials({ test: 'T9', what: `combinations of latency and loss, ${LASTS_MS / 1_000} s each`, count: 1, seed: faultSeed });
      recordTrials({ test: 'T9', what: '  exchanges lost', count: lost });
      recordFigure({
        name: `T9: write p99 with ${name}`,
        value: rounded(ratio),
        unit: `x of ${rounded(baseMs)} ms`,
        goal: `<= ${GOAL} x`,
        isMet: ratio <= GOAL,
      });
      expect(ratio).toBeLessThan(DEFECT);
    },
    LASTS_MS * 2 + 240_000,
  );
});

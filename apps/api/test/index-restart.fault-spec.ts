import { realQdrantUrl, during, faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const RESTARTS = faultTrials(4, 60);
const DOWN_MAX_MS = faultTrials(1_500, 6_000);
const HAS_REAL_SERVER = realQdrantUrl !== null;

/** The double is stopped and started in this process; a real server cannot be, so that there only the way to it goes down. */
describe(`T12: the index goes down and comes back under writes, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await FaultStage.set();
    await stage.start('worker');
  }, 120_000);
  afterAll(() => stage.strike());

  async function goDown(): Promise<void> {
    await stage.indexProxy.setMode({ kind: 'refuse' });
    const port = Number(new URL(stage.indexUrl).port);
    await stage.double?.stop();
    await delay(DOWN_MAX_MS * random.next());
    await stage.double?.start(port);
    await stage.indexProxy.setMode({ kind: 'pass' });
  }

  it(
    `keeps in step in ${RESTARTS} restarts${HAS_REAL_SERVER ? ' (of the way to a real server)' : ' of the double'}`,
    async () => {
      const workload = new RowWorkload(stage.query, random, { keys: 80, namespace: 12 });
      const watch = await stage.watch(workload);
      for (let n = 0; n < RESTARTS; n++) {
        await during([(signal) => workload.run(signal, { lanes: 3, pauseMs: 15 }), (signal) => watch.run(signal)], async () => {
          await delay(300 * random.next());
          await goDown();
          // Now and then it falls over again at once.
          if (random.chance(0.4)) await goDown();
          await delay(200 * random.next());
        });
        await stage.untilInStep();
      }
      expect(workload.outcomes).toMatchObject({ failed: 0, unknown: 0 });
      expect(await workload.differences(stage.query)).toEqual([]);
      expect(watch.violations).toEqual([]);
      recordTrials({
        test: 'T12',
        what: HAS_REAL_SERVER ? 'interruptions of the way to Qdrant' : 'restarts of the double of Qdrant',
        count: RESTARTS,
        seed: faultSeed,
      });
    },
    60_000 + RESTARTS * 60_000,
  );
});

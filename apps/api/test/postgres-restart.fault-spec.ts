import { during, faultSeed, faultTrials, recordDuration, recordTrials, RowWorkload, SeededRandom } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';
import { OwnDatabase } from './own-database.js';

const RESTARTS = faultTrials(1, 20);
const READY_WITHIN_MS = 15_000;

describe(`T11: PostgreSQL restarts under a relay and writers, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let database: OwnDatabase;
  let stage: FaultStage;
  let slowestMs = 0;

  beforeAll(async () => {
    database = await OwnDatabase.start();
    stage = await FaultStage.set({ database });
    await stage.start('worker');
  }, 120_000);
  afterAll(async () => {
    recordDuration('T11: from the moment PostgreSQL answers again until rows and index agree, slowest', slowestMs, READY_WITHIN_MS);
    await stage.strike();
  });

  const WAYS: readonly (readonly [string, () => Promise<number>])[] = [
    ['fast shutdown', () => database.restart('fast')],
    ['immediate shutdown', () => database.restart('immediate')],
    ['a backend is killed, and all others with it', () => database.killBackend()],
  ];
  it.each(WAYS)(
    '%s: nothing acknowledged is lost',
    async (name, breakDown) => {
      const client = await stage.connectClient();
      const workload = new RowWorkload(client.query, random, { keys: 60, namespace: 110 + WAYS.findIndex(([other]) => other === name) });
      for (let n = 0; n < RESTARTS; n++) {
        await during([(signal) => workload.run(signal, { lanes: 3, pauseMs: 15 })], async () => {
          await delay(300 + 500 * random.next());
          await breakDown();
        });
        slowestMs = Math.max(slowestMs, await stage.untilInStep());
        expect(await workload.differences(stage.query)).toEqual([]);
      }
      await client.close();
      recordTrials({ test: 'T11', what: name, count: RESTARTS, seed: faultSeed });
    },
    60_000 + RESTARTS * 40_000,
  );
});

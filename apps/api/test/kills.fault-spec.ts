import { during, faultSeed, faultTrials, recordDuration, recordTrials, RowWorkload, SeededRandom, type ServerProcess } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage, STAGE_LEASE_MS } from './fault-stage.js';

const KILLS = faultTrials(6, 120);
const KILLS_PER_CHECK = 20;
const REPLICAS = 2;
const MAX_PAUSE_MS = 1_500;
const IDLE_GOAL_MS = STAGE_LEASE_MS + 5_000;

describe(`T4: kill -9 of a random replica at a random moment, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await FaultStage.set();
  }, 60_000);
  afterAll(() => stage.strike());

  it(
    `loses, resurrects and keeps stale nothing in ${KILLS} kills of ${REPLICAS} relays under writes`,
    async () => {
      const workload = new RowWorkload(stage.query, random, { keys: 150 });
      const replicas: ServerProcess[] = await Promise.all(Array.from({ length: REPLICAS }, () => stage.start('worker')));
      const watch = await stage.watch(workload);
      const idleMs: number[] = [];
      let kills = 0;
      while (kills < KILLS) {
        await during([(signal) => workload.run(signal, { lanes: 3, pauseMs: 15 }), (signal) => watch.run(signal)], async () => {
          for (let n = 0; n < KILLS_PER_CHECK && kills < KILLS; n++, kills++) {
            await delay(random.next() * MAX_PAUSE_MS);
            const victim = Math.floor(random.next() * REPLICAS);
            await replicas[victim]!.end('SIGKILL');
            replicas[victim] = stage.launch('worker');
            // A process that is killed before it has begun proves little: most get to work.
            if (random.chance(0.8)) await replicas[victim].ready;
          }
        });
        idleMs.push(await stage.untilInStep());
      }
      recordTrials({ test: 'T4', what: 'kill -9 of a random relay', count: kills, seed: faultSeed });
      recordTrials({ test: 'T4', what: '  writes meanwhile', count: workload.writes });
      recordDuration('T4: from the last kill until rows and index agree, slowest', Math.max(...idleMs), IDLE_GOAL_MS);
      expect(await workload.differences(stage.query)).toEqual([]);
      expect(watch.violations).toEqual([]);
    },
    120_000 + KILLS * 30_000,
  );
});

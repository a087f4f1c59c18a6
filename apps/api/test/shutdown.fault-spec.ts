import { during, faultSeed, faultTrials, recordDuration, recordTrials, RowWorkload, SeededRandom } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const STOPS = faultTrials(2, 30);
const GRACE_MS = 20_000;

describe(`orderly ends under load, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await FaultStage.set();
  }, 60_000);
  afterAll(() => stage.strike());

  it(
    `T20: SIGTERM while work is in flight: exit code 0, no lease is left, ${STOPS} times`,
    async () => {
      const workload = new RowWorkload(stage.query, random, { keys: 100, namespace: 20 });
      let slowestMs = 0;
      for (let n = 0; n < STOPS; n++) {
        const worker = await stage.start('worker');
        await during([(signal) => workload.run(signal, { lanes: 4, pauseMs: 5 })], async () => {
          await delay(200 + 300 * random.next());
          const startedMs = performance.now();
          const end = await worker.end('SIGTERM');
          slowestMs = Math.max(slowestMs, performance.now() - startedMs);
          const { rows } = await stage.query<{ held: number }>(
            'SELECT count(*)::integer AS held FROM index_ledger WHERE lease_until > now()',
          );
          expect({ end, held: rows[0]!.held }).toEqual({ end: 0, held: 0 });
        });
      }
      const last = await stage.start('worker');
      await stage.untilInStep();
      await last.end('SIGTERM');
      recordTrials({ test: 'T20', what: 'SIGTERM of a relay under load', count: STOPS, seed: faultSeed });
      recordDuration('T20: from SIGTERM to the end, slowest', slowestMs, GRACE_MS);
      expect(slowestMs).toBeLessThan(GRACE_MS);
    },
    60_000 + STOPS * 60_000,
  );
});

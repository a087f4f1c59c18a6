import { during, faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage, STAGE_LEASE_MS } from './fault-stage.js';

const SKEWS: readonly (readonly [string, string])[] = [
  ['an hour ahead', '3600000'],
  ['an hour behind', '-3600000'],
  ['a quarter of a second ahead and behind in turn', 'strobe:250'],
];
const LASTS_MS = faultTrials(3_000, 40_000);
const LOOK_MS = 5;
const LEASE_SHARE = 0.9;

describe(`T14: one of two relays has a wrong clock, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await FaultStage.set();
    await stage.start('worker');
  }, 120_000);
  afterAll(() => stage.strike());

  /** The longest rest of a lease that anybody was seen to hold. */
  async function longestLease(signal: AbortSignal): Promise<number> {
    let longestMs = 0;
    while (!signal.aborted) {
      const { rows } = await stage.query<{ rest_ms: number | null }>(
        `SELECT max(extract(epoch FROM lease_until - clock_timestamp()))::double precision * 1000 AS rest_ms FROM index_ledger`,
      );
      longestMs = Math.max(longestMs, rows[0]!.rest_ms ?? 0);
      await delay(LOOK_MS);
    }
    return longestMs;
  }

  it.each(SKEWS)(
    '%s',
    async (_name, skew) => {
      const skewed = await stage.start('worker', { KINDRED_CLOCK_SKEW: skew });
      const workload = new RowWorkload(stage.query, random, { keys: 60, namespace: 140 + SKEWS.findIndex(([, other]) => other === skew) });
      const watch = await stage.watch(workload);
      let longestMs = 0;
      const clients = [
        (signal: AbortSignal) => workload.run(signal, { lanes: 3, pauseMs: 10 }),
        (signal: AbortSignal) => watch.run(signal),
        async (signal: AbortSignal) => (longestMs = await longestLease(signal)),
      ];
      await during(clients, () => delay(LASTS_MS));
      await stage.untilInStep();
      expect(await workload.differences(stage.query)).toEqual([]);
      expect(watch.violations).toEqual([]);
      // By the database's clock, whatever the relays' clocks say: neither shorter nor longer than it was meant to be.
      expect(longestMs).toBeGreaterThan(LEASE_SHARE * STAGE_LEASE_MS);
      expect(longestMs).toBeLessThanOrEqual(STAGE_LEASE_MS);
      expect(await skewed.end('SIGTERM')).toBe(0);
      recordTrials({ test: 'T14', what: 'relays with a wrong clock', count: 1, seed: faultSeed });
    },
    120_000 + LASTS_MS,
  );
});

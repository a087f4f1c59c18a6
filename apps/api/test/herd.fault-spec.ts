import { faultTrials, recordFigure, recordTrials } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const REPLICAS = 2;
const BACKLOG = faultTrials(4_000, 30_000);
const OUTAGE_MS = faultTrials(5_000, 120_000);
const LOOK_MS = 250;
const WINDOW_MS = 10_000;
const GOAL = 1.5;
/** Far beyond it, the replicas do fall upon the index together. */
const DEFECT = 5;

describe('T27: after an outage the replicas do not fall upon the index', () => {
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await FaultStage.set();
    for (let n = 0; n < REPLICAS; n++) await stage.start('worker');
  }, 180_000);
  afterAll(() => stage.strike());

  /** The most bytes a second that go to the index, until everything is in step. */
  async function busiestSecond(withinMs: number): Promise<number> {
    const startedMs = performance.now();
    const samples: number[] = [];
    let before = stage.indexProxy.bytes.request;
    let lastMs = startedMs;
    while (performance.now() - startedMs < withinMs && (await stage.checker.pending()) > 0) {
      await delay(LOOK_MS);
      const nowMs = performance.now();
      samples.push(((stage.indexProxy.bytes.request - before) / (nowMs - lastMs)) * 1_000);
      [before, lastMs] = [stage.indexProxy.bytes.request, nowMs];
    }
    return Math.max(
      ...samples.map((_, n) => samples.slice(n, n + 4).reduce((sum, value) => sum + value, 0) / Math.min(4, samples.length - n)),
    );
  }

  /** The same texts each time, so that only the index has work. */
  const write = (price: number) =>
    stage.query(
      `INSERT INTO projects (id, name, description, final_price)
       SELECT ('00000000-0027-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Row', 'oak stair ' || n, $1::numeric FROM generate_series(1, ${BACKLOG}) AS n
       ON CONFLICT (id) DO UPDATE SET final_price = EXCLUDED.final_price`,
      [price],
    );

  it(
    `${REPLICAS} relays, ${BACKLOG} rows, ${OUTAGE_MS / 1_000} s without an index`,
    async () => {
      await write(1);
      await stage.untilInStep(300_000);
      await write(2);
      const normal = await busiestSecond(300_000);
      await stage.untilInStep(300_000);
      await stage.indexProxy.setMode({ kind: 'reset' });
      const attempts = stage.indexProxy.connections;
      await write(3);
      await delay(OUTAGE_MS);
      const perSecond = (stage.indexProxy.connections - attempts) / REPLICAS / (OUTAGE_MS / 1_000);
      await stage.indexProxy.setMode({ kind: 'pass' });
      const after = await busiestSecond(WINDOW_MS);
      const tookMs = await stage.untilInStep(600_000);
      recordTrials({ test: 'T27', what: `outages with a backlog of ${BACKLOG} rows`, count: 1 });
      recordFigure({ name: 'T27: connections tried during the outage, per replica', value: Math.round(perSecond * 100) / 100, unit: '/s' });
      recordFigure({
        name: 'T27: busiest second of the 10 s after the outage, against the busiest of a normal backlog',
        value: Math.round((after / normal) * 100) / 100,
        unit: 'x',
        goal: '<= 1.5 x',
        isMet: after / normal <= GOAL,
      });
      recordFigure({ name: 'T27: from the end of the outage until rows and index agree', value: Math.round(tookMs) / 1_000, unit: 's' });
      expect(after / normal).toBeLessThan(DEFECT);
      expect(perSecond).toBeLessThan(20);
    },
    OUTAGE_MS + 1_200_000,
  );
});

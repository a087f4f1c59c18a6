import { faultSeed, faultTrials, recordFigure, recordTrials, RowWorkload, SeededRandom, type ServerProcess } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const STOPS = faultTrials(2, 50);
const ROLLS = faultTrials(1, 20);
const REPLICAS = 3;
/** Long against the time after which the balancer looks again. */
const SHUTDOWN_DELAY_MS = 1_000;
const LOOK_MS = 300;
const GRACE_MS = 20_000;
const CLIENTS = 4;

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
        const writing = new AbortController();
        const running = workload.run(writing.signal, { lanes: 4, pauseMs: 5 });
        await delay(200 + 300 * random.next());
        const startedMs = performance.now();
        const end = await worker.end('SIGTERM');
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        const { rows } = await stage.query<{ held: number }>(
          'SELECT count(*)::integer AS held FROM index_ledger WHERE lease_until > now()',
        );
        writing.abort();
        await running;
        expect({ end, held: rows[0]!.held }).toEqual({ end: 0, held: 0 });
      }
      const last = await stage.start('worker');
      await stage.untilInStep();
      await last.end('SIGTERM');
      recordTrials({ test: 'T20', what: 'SIGTERM of a relay under load', count: STOPS, seed: faultSeed });
      recordFigure({
        name: 'T20: from SIGTERM to the end, slowest',
        value: Math.round(slowestMs),
        unit: 'ms',
        goal: `<= ${GRACE_MS} ms`,
        isMet: slowestMs <= GRACE_MS,
      });
      expect(slowestMs).toBeLessThan(GRACE_MS);
    },
    60_000 + STOPS * 60_000,
  );

  /** As a load balancer: sends a request to any replica that was ready at the last look; whatever is answered is the answer. */
  class Balancer {
    private ready: ServerProcess[] = [];

    constructor(private readonly replicas: readonly ServerProcess[]) {}

    async look(): Promise<void> {
      const looks = this.replicas.map(async (replica) => {
        const status = await replica.call('GET', '/health/ready').then(
          (answer) => answer.status,
          () => 0,
        );
        return status === 200 ? [replica] : [];
      });
      this.ready = (await Promise.all(looks)).flat();
    }

    async ask(method: string, path: string, body: unknown): Promise<number> {
      return (await random.pick(this.ready).call(method, path, body)).status;
    }
  }

  it(
    `T21: ${REPLICAS} replicas of the api are replaced one after the other: no request fails, ${ROLLS} rounds`,
    async () => {
      const start = () => stage.start('api', { SHUTDOWN_DELAY_MS: String(SHUTDOWN_DELAY_MS) });
      const replicas = await Promise.all(Array.from({ length: REPLICAS }, start));
      const balancer = new Balancer(replicas);
      await balancer.look();
      const stopped = new AbortController();
      const looking = (async () => {
        for (; !stopped.signal.aborted; await delay(LOOK_MS)) await balancer.look();
      })();
      const statuses = new Map<number, number>();
      const failures: string[] = [];
      const client = async (): Promise<void> => {
        for (; !stopped.signal.aborted; await delay(10)) {
          const [path, body] = random.chance(0.3)
            ? ['/api/v1/projects', { name: 'Roll', description: `oak stair ${random.next()}` }]
            : ['/api/v1/similarity/find-similar', { query: 'oak stair', top_k: 3, threshold: -1 }];
          try {
            const status = await balancer.ask('POST', path, body);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
          } catch (error) {
            failures.push(String((error as { cause?: unknown }).cause ?? error));
          }
        }
      };
      const clients = Array.from({ length: CLIENTS }, client);
      for (let round = 0; round < ROLLS; round++) {
        for (let n = 0; n < REPLICAS; n++) {
          expect(await replicas[n]!.end('SIGTERM')).toBe(0);
          replicas[n] = await start();
        }
      }
      stopped.abort();
      await Promise.all([...clients, looking]);
      await stage.untilInStep();
      await Promise.all(replicas.map((replica) => replica.end('SIGTERM')));
      recordTrials({ test: 'T21', what: 'replicas replaced under requests', count: ROLLS * REPLICAS, seed: faultSeed });
      recordTrials({ test: 'T21', what: '  requests meanwhile', count: [...statuses.values()].reduce((sum, count) => sum + count, 0) });
      expect(failures).toEqual([]);
      expect([...statuses.keys()].filter((status) => status >= 300)).toEqual([]);
    },
    120_000 + ROLLS * 120_000,
  );
});

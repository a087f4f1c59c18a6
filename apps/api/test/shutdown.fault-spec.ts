import { faultSeed, faultTrials, recordFigure, recordTrials, RowWorkload, SeededRandom, type ServerProcess } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const STOPS = faultTrials(2, 50);
const ROLLS = faultTrials(1, 20);
const REPLICAS = 2;
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

  /** As a load balancer: asks the next replica when one does not take the connection; whatever is answered is the answer. */
  async function ask(replicas: readonly ServerProcess[], method: string, path: string, body?: unknown): Promise<number> {
    for (let n = 0; n < 40; n++) {
      const replica = replicas[(n + Math.floor(random.next() * replicas.length)) % replicas.length]!;
      try {
        return (await replica.call(method, path, body)).status;
      } catch (error) {
        const code = (error as { cause?: { code?: string } }).cause?.code;
        if (code !== 'ECONNREFUSED') throw error;
        await delay(25);
      }
    }
    throw new Error('No replica takes connections');
  }

  it(
    `T21: ${REPLICAS} replicas of the api are replaced one after the other: no request fails, ${ROLLS} rounds`,
    async () => {
      const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => stage.start('api')));
      const stopped = new AbortController();
      const statuses = new Map<number, number>();
      const failures: string[] = [];
      const client = async (): Promise<void> => {
        while (!stopped.signal.aborted) {
          const isWrite = random.chance(0.3);
          try {
            const status = isWrite
              ? await ask(replicas, 'POST', '/api/v1/projects', { name: 'Roll', description: `oak stair ${random.next()}` })
              : await ask(replicas, 'POST', '/api/v1/similarity/find-similar', { query: 'oak stair', top_k: 3, threshold: -1 });
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
          } catch (error) {
            failures.push(String((error as { cause?: unknown }).cause ?? error));
          }
          await delay(10);
        }
      };
      const clients = Array.from({ length: CLIENTS }, client);
      for (let round = 0; round < ROLLS; round++) {
        for (let n = 0; n < REPLICAS; n++) {
          expect(await replicas[n]!.end('SIGTERM')).toBe(0);
          replicas[n] = await stage.start('api');
        }
      }
      stopped.abort();
      await Promise.all(clients);
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

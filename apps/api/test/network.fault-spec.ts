import {
  during,
  faultSeed,
  faultTrials,
  recordDuration,
  recordTrials,
  RowWorkload,
  SeededRandom,
  type InjectedTcpFault,
  type TcpExchangeFault,
  type TcpProxy,
  type TcpProxyMode,
} from '#testing';
import { QdrantVectorStore } from '#vector-store';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const LOST_REPLIES_OF_INDEX = faultTrials(20, 200);
const LOST_REPLIES_OF_DATABASE = faultTrials(6, 50);
const TORN_REPLIES = faultTrials(8, 80);
const STALLS = faultTrials(2, 20);
const STALL_MAX_MS = faultTrials(2_000, 10_000);
const LATENCY_MS = faultTrials(2_000, 20_000);
const RECOVERS_WITHIN_MS = 10_000;
const PAUSE_MS = 30;

/** Requests that change points, as a proxy sees them. */
const isIndexWrite = (request: Buffer): boolean => /^(PUT|POST) \S+\/points(\/delete)?\?/.test(request.subarray(0, 200).toString('latin1'));
/** The end of a transaction of a client; statements of the relay are transactions of their own. */
const isCommit = (request: Buffer): boolean => request.includes('COMMIT');
const isStatement = (request: Buffer): boolean => request.includes('UPDATE index_ledger') || request.includes('index_ledger');

describe(`a bad network between real processes, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;
  let workload: RowWorkload;
  let client: Awaited<ReturnType<FaultStage['connectClient']>>;

  beforeAll(async () => {
    stage = await FaultStage.set();
    await stage.start('worker');
    client = await stage.connectClient();
    workload = new RowWorkload(client.query, random, { keys: 80 });
  }, 120_000);
  afterAll(async () => {
    await client.close();
    await stage.strike();
  });

  /** Lets faults happen while the client writes; then rows and index must agree, and the client must have been told the truth. */
  async function underWrites(faults: () => Promise<void>): Promise<number> {
    await during([(signal) => workload.run(signal, { lanes: 3, pauseMs: 10 })], async () => {
      try {
        await faults();
      } finally {
        stage.indexProxy.clearFaults();
        stage.databaseProxy.clearFaults();
        await Promise.all([stage.indexProxy.setMode({ kind: 'pass' }), stage.databaseProxy.setMode({ kind: 'pass' })]);
      }
    });
    const elapsedMs = await stage.untilInStep();
    expect(await workload.differences(stage.query)).toEqual([]);
    return elapsedMs;
  }

  /** Injects a fault so many times, one after the other, each once the one before has hit somebody. */
  async function injectTimes(
    count: number,
    proxy: TcpProxy,
    on: (request: Buffer) => boolean,
    next: () => TcpExchangeFault,
  ): Promise<number> {
    let hits = 0;
    while (hits < count) {
      // Twice in a row now and then: the adapter asks once more, at once.
      const times = random.chance(0.5) ? 2 : 1;
      const injected: InjectedTcpFault[] = Array.from({ length: times }, () => proxy.inject(next(), { on }));
      await Promise.all(injected.map(({ met }) => met));
      hits += times;
      await delay(PAUSE_MS * random.next());
    }
    return hits;
  }

  it(`T6: the index applies a write, and its reply is lost, ${LOST_REPLIES_OF_INDEX} times`, async () => {
    let count = 0;
    await underWrites(async () => {
      count = await injectTimes(LOST_REPLIES_OF_INDEX, stage.indexProxy, isIndexWrite, () => ({ kind: 'drop-reply' }));
    });
    recordTrials({ test: 'T6', what: 'replies of the index lost after the write was applied', count, seed: faultSeed });
  }, 600_000);

  it(`T6: the database commits, and its reply is lost, ${LOST_REPLIES_OF_DATABASE} times each for clients and relay`, async () => {
    let count = 0;
    await underWrites(async () => {
      count += await injectTimes(LOST_REPLIES_OF_DATABASE, stage.databaseProxy, isCommit, () => ({ kind: 'drop-reply' }));
      count += await injectTimes(LOST_REPLIES_OF_DATABASE, stage.databaseProxy, isStatement, () => ({ kind: 'drop-reply' }));
    });
    expect(workload.outcomes.unknown).toBeGreaterThan(0);
    recordTrials({ test: 'T6', what: 'replies of PostgreSQL lost after COMMIT or a statement of the relay', count, seed: faultSeed });
  }, 600_000);

  it(`T7: replies are torn at a random byte, ${TORN_REPLIES} times of the index and as often of the database`, async () => {
    let count = 0;
    await underWrites(async () => {
      const torn = (): TcpExchangeFault => ({ kind: 'cut-reply', afterBytes: Math.floor(random.next() * 300) });
      count += await injectTimes(TORN_REPLIES, stage.indexProxy, isIndexWrite, torn);
      count += await injectTimes(TORN_REPLIES, stage.databaseProxy, isStatement, torn);
    });
    recordTrials({ test: 'T7', what: 'replies torn at a random byte', count, seed: faultSeed });
  }, 600_000);

  it(`T8: the network swallows everything for a while, ${STALLS} times before the index and as often before the database`, async () => {
    let count = 0;
    let slowestMs = 0;
    for (const proxy of [stage.indexProxy, stage.databaseProxy]) {
      for (let n = 0; n < STALLS; n++, count++) {
        const elapsedMs = await underWrites(async () => {
          await delay(200);
          await proxy.setMode({ kind: 'stall' });
          await delay(500 + random.next() * STALL_MAX_MS);
          // Half of the connections are dead when the network is back: nobody will ever answer on them.
          if (random.chance(0.5)) proxy.cutAll();
          await proxy.setMode({ kind: 'pass' });
        });
        slowestMs = Math.max(slowestMs, elapsedMs);
      }
    }
    recordTrials({ test: 'T8', what: 'stalls of the network', count, seed: faultSeed });
    recordDuration('T8: from the end of a stall until rows and index agree, slowest', slowestMs, RECOVERS_WITHIN_MS);
  }, 900_000);

  it('T8: no call of the index outlives its timeout by a second', async () => {
    const timeoutMs = 400;
    const store = new QdrantVectorStore({
      url: stage.indexProxy.through(stage.indexUrl),
      apiKey: null,
      searchTimeoutMs: timeoutMs,
      writeTimeoutMs: timeoutMs,
      adminTimeoutMs: timeoutMs,
    });
    const { collection } = await stage.checker.generation();
    await store.ping();
    await stage.indexProxy.setMode({ kind: 'stall' });
    const calls = [
      () => store.count(collection),
      () => store.delete(collection, [{ id: '00000000-0000-4000-8000-00000000dead', rev: 1 }]),
      () => store.scroll(collection, { limit: 1 }),
      () => store.info(collection),
    ];
    const tookMs = await Promise.all(
      calls.map(async (call) => {
        const startedMs = performance.now();
        await expect(call()).rejects.toMatchObject({ kind: 'unavailable' });
        return performance.now() - startedMs;
      }),
    );
    await stage.indexProxy.setMode({ kind: 'pass' });
    await store.close();
    expect(Math.max(...tookMs)).toBeLessThan(timeoutMs + 1_000);
  }, 30_000);

  const LATENCIES: readonly (readonly [string, TcpProxyMode])[] = [
    ['50 ms', { kind: 'delay', ms: 50, jitterMs: 20 }],
    ['300 ms, more than half of a write timeout', { kind: 'delay', ms: 150, jitterMs: 150 }],
    ['64 KiB/s', { kind: 'throttle', bytesPerSecond: 65_536 }],
  ];
  it.each(LATENCIES)(
    'T9: latency of %s before the index',
    async (_name, mode) => {
      await underWrites(async () => {
        await stage.indexProxy.setMode(mode);
        await delay(LATENCY_MS);
      });
      recordTrials({ test: 'T9', what: 'combinations of latency', count: 1, seed: faultSeed });
    },
    180_000,
  );
});

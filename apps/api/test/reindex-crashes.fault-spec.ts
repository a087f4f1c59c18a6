import type { CrashPoint } from '#kernel';
import { setTimeout as delay } from 'node:timers/promises';
import {
  during,
  faultSeed,
  faultTrials,
  isLongFaultRun,
  recordTrials,
  RowWorkload,
  SeededRandom,
  waitFor,
  type ServerProcess,
} from '#testing';
import { FaultStage } from './fault-stage.js';

/** Every stage of a generation's life, in its order. */
const POINTS: readonly CrashPoint[] = [
  'generation.created',
  'generation.collection-created',
  'generation.fill-batch',
  'generation.filled',
  'generation.before-switch',
  'generation.after-switch',
  'generation.before-alias',
  'generation.retired',
];
/** One life that is ended at every point in turn; in the long form six lives for each point. */
const LIVES: readonly (readonly CrashPoint[])[] = isLongFaultRun ? POINTS.map((point) => [point]) : [POINTS];
const ROUNDS = faultTrials(1, 6);
const ROWS = faultTrials(80, 400);
const TIMEOUT_MS = 60_000;
const KEEP_ALIVE_MS = 100;

interface Generation {
  readonly id: number;
  readonly state: 'building' | 'serving' | 'standby' | 'retired';
  readonly progress: { readonly is_filled: boolean };
}

describe(`T22: kill -9 at each stage of a re-index under writes, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;
  let workload: RowWorkload;
  let api: ServerProcess;
  let crashes = 0;
  let round = 0;
  let crashPointsAhead: CrashPoint[] = [];
  let writing = new AbortController();
  let running: Promise<void> = Promise.resolve();

  beforeAll(async () => {
    stage = await FaultStage.set();
    api = await stage.start('api');
    workload = new RowWorkload(stage.query, random, { keys: ROWS, namespace: 22 });
    await workload.writeTimes(ROWS);
    await stage.untilInStep();
    await api.end('SIGKILL');
  }, 120_000);
  afterAll(async () => {
    writing.abort();
    await running;
    recordTrials({ test: 'T22', what: 'kill -9 at a stage of a generation', count: crashes, seed: faultSeed });
    await stage.strike();
  });

  /** Asks until it is answered; a process that dies meanwhile is replaced by one that lives. */
  async function admin<Reply>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Reply }> {
    for (;;) {
      try {
        return await api.call<Reply>(method, `/api/v1/admin${path}`, body);
      } catch (error) {
        if (api.outcome === null) await api.ended;
        if (!(await replaceTheDead())) throw error;
      }
    }
  }

  /** Whether there was a dead one; it must have died at a point. */
  async function replaceTheDead(): Promise<boolean> {
    if (api.outcome !== 'SIGKILL') return false;
    crashes++;
    await startTheNext();
    return true;
  }

  /** It dies at the first of the points ahead. */
  async function startTheNext(): Promise<void> {
    const point = crashPointsAhead.shift();
    api = stage.launch('api', point === undefined ? {} : { KINDRED_CRASH_AT: `${point}:1` });
    // Some points are met while it starts.
    await api.ready.catch(() => undefined);
  }

  async function generations(): Promise<readonly Generation[]> {
    return (await admin<{ items: readonly Generation[] }>('GET', '/generations')).body.items;
  }

  function startWriting(): void {
    writing = new AbortController();
    running = workload.run(writing.signal, { lanes: 2, pauseMs: 50 });
  }

  /** Rows and the serving index must agree, and the clients must have been told the truth; for that they rest. */
  async function compare(): Promise<void> {
    writing.abort();
    await running;
    const keepAlive = async (signal: AbortSignal): Promise<void> => {
      while (!signal.aborted) if (!(await replaceTheDead())) await delay(KEEP_ALIVE_MS);
    };
    await during([keepAlive], () => stage.untilInStep());
    expect(await workload.differences(stage.query)).toEqual([]);
  }

  /** Creates, fills, switches, goes back, and retires, whatever dies; each wish is repeated until it is so. */
  async function reindex(): Promise<void> {
    const before = (await generations()).find(({ state }) => state === 'serving')!;
    const change = { source: 'projects', embedder: { max_tokens: 20 + ++round } };
    const created = await waitFor(
      async () => {
        await admin('POST', '/generations', change);
        return (await generations()).find(({ state, id }) => state === 'building' && id > before.id);
      },
      { what: 'a generation is building', timeoutMs: TIMEOUT_MS },
    );
    await waitFor(async () => (await admin<Generation>('GET', `/generations/${created.id}`)).body.progress.is_filled, {
      what: 'the generation is filled',
      timeoutMs: TIMEOUT_MS,
    });
    const serves = async (id: number): Promise<boolean> =>
      (await generations()).find((generation) => generation.id === id)?.state === 'serving';
    await waitFor(
      async () => {
        if (await serves(created.id)) return true;
        await admin('POST', `/generations/${created.id}/switch`, {});
        return serves(created.id);
      },
      { what: 'the new generation serves', timeoutMs: TIMEOUT_MS, intervalMs: 200 },
    );
    await compare();
    startWriting();
    await waitFor(
      async () => {
        if (!(await serves(before.id))) await admin('POST', `/generations/${before.id}/rollback`, {});
        return serves(before.id);
      },
      { what: 'the old generation serves again', timeoutMs: TIMEOUT_MS, intervalMs: 200 },
    );
    await compare();
    startWriting();
    await waitFor(
      async () => {
        await admin('POST', `/generations/${created.id}/retire`, {});
        return (await generations()).every(({ id }) => id !== created.id);
      },
      { what: 'the new generation is retired', timeoutMs: TIMEOUT_MS, intervalMs: 200 },
    );
  }

  it.each(LIVES.map((points) => ({ points, name: points.join(', ') })))(
    '$name',
    async ({ points }) => {
      for (let n = 0; n < ROUNDS; n++) {
        crashPointsAhead = [...points];
        const before = crashes;
        await startTheNext();
        startWriting();
        await reindex();
        await compare();
        expect(crashes - before).toBe(points.length);
        await api.end('SIGKILL');
      }
    },
    60_000 + ROUNDS * 4 * TIMEOUT_MS,
  );
});

import type { CrashPoint } from '#kernel';
import { faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom, waitFor, type ServerProcess } from '#testing';
import { FaultStage } from './fault-stage.js';

/** Every stage of a generation's life. */
const POINTS: readonly CrashPoint[] = [
  'generation.created',
  'generation.fill-batch',
  'generation.filled',
  'generation.collection-created',
  'generation.before-switch',
  'generation.after-switch',
  'generation.before-alias',
  'generation.retired',
];
const ROUNDS = faultTrials(1, 6);
const ROWS = faultTrials(80, 400);
const TIMEOUT_MS = 60_000;

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
        if (api.outcome !== 'SIGKILL') throw error;
        crashes++;
        api = await stage.start('api');
      }
    }
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
    await stage.untilInStep();
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

  it.each(POINTS)(
    '%s',
    async (point) => {
      for (let n = 0; n < ROUNDS; n++) {
        api = stage.launch('api', { KINDRED_CRASH_AT: `${point}:1` });
        const before = crashes;
        // Some points are met while it starts.
        await api.ready.catch(() => undefined);
        startWriting();
        await reindex();
        await compare();
        expect(crashes - before).toBe(1);
        await api.end('SIGKILL');
      }
    },
    60_000 + ROUNDS * 4 * TIMEOUT_MS,
  );
});

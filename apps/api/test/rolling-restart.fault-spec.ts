import { faultSeed, faultTrials, recordTrials, SeededRandom, waitFor, workloadId, type ServerProcess } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const ROLLS = faultTrials(1, 8);
const REPLICAS = 3;
const CLIENTS = 4;
const PAUSE_MS = 10;
const PROBE_EVERY_MS = 300;
/** Long against the time after which the balancer probes again: what it sends until then is to arrive at a listener. */
const SHUTDOWN_DELAY_MS = 1_000;
/** Long enough for a replica to start, should the others be gone for a moment. */
const GIVES_UP_AFTER_MS = 10_000;

/**
 * Does what a load balancer does: sends to replicas whose latest probe said ready. It tries nothing twice, not even when a connection is refused.
 */
class Balancer {
  private readonly ready = new Set<ServerProcess>();
  private readonly stopped = new AbortController();
  private probing: Promise<void> = Promise.resolve();

  constructor(
    private readonly replicas: readonly ServerProcess[],
    private readonly random: SeededRandom,
  ) {}

  start(): void {
    this.probing = this.probe();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.probing;
  }

  isReady(replica: ServerProcess): boolean {
    return this.ready.has(replica);
  }

  /** The one answer there is; nothing that was sent is ever sent again. */
  async ask(method: string, path: string, body: unknown): Promise<{ status: number; body: { source?: string } }> {
    const replica = await waitFor(() => this.random.pick([...this.ready]), {
      what: 'a replica is ready',
      timeoutMs: GIVES_UP_AFTER_MS,
    });
    return replica.call<{ source?: string }>(method, path, body);
  }

  private async probe(): Promise<void> {
    while (!this.stopped.signal.aborted) {
      await Promise.all(
        this.replicas.map(async (replica) => {
          const isReady = await replica.call('GET', '/health/ready').then(
            ({ status }) => status === 200,
            () => false,
          );
          if (isReady) this.ready.add(replica);
          else this.ready.delete(replica);
        }),
      );
      await delay(PROBE_EVERY_MS, undefined, { signal: this.stopped.signal }).catch(() => undefined);
    }
  }
}

const LOCKED = workloadId(21, 1);

describe(`T21: the replicas of the api are replaced one after the other under requests, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  let stage: FaultStage;

  beforeAll(async () => {
    stage = await FaultStage.set();
    await stage.query(`INSERT INTO projects (id, name, description) VALUES ($1, 'Row', 'locked')`, [LOCKED]);
  }, 60_000);
  afterAll(() => stage.strike());

  /** Stops it while a change that it has in hand waits for a lock: the change is answered, and the process ends in order. */
  async function replaceUnderRequest(replica: ServerProcess): Promise<void> {
    const holder = stage.database.dataSource.createQueryRunner();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM projects WHERE id = $1 FOR UPDATE', [LOCKED]);
    const change = replica.call('PATCH', `/api/v1/projects/${LOCKED}`, { final_price: 1 }).then(
      ({ status }) => status,
      (error: unknown) => String((error as { cause?: unknown }).cause ?? error),
    );
    await waitFor(
      async () =>
        (await stage.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).rowCount ===
        1,
      { what: 'the change waits' },
    );
    replica.signal('SIGTERM');
    await waitFor(() => replica.output.some((line) => line.includes('SIGTERM: stopping')), { what: 'the replica stops' });
    await holder.query('COMMIT');
    await holder.release();
    expect(await change).toBe(200);
    expect(await replica.ended).toBe(0);
  }

  it(
    `no request fails, and nothing is written twice or not at all: ${REPLICAS} replicas, ${ROLLS} rounds`,
    async () => {
      const start = () => stage.start('api', { SHUTDOWN_DELAY_MS: String(SHUTDOWN_DELAY_MS) });
      const replicas = await Promise.all(Array.from({ length: REPLICAS }, () => start()));
      const balancer = new Balancer(replicas, random);
      balancer.start();
      const stopped = new AbortController();
      const statuses = new Map<number, number>();
      const failures: string[] = [];
      const created: string[] = [];
      const client = async (lane: number): Promise<void> => {
        for (let n = 0; !stopped.signal.aborted; n++) {
          const description = `oak stair ${lane} ${n}`;
          try {
            const { status, body } = random.chance(0.3)
              ? await balancer.ask('POST', '/api/v1/projects', { name: 'Roll', description })
              : await balancer.ask('POST', '/api/v1/similarity/find-similar', {
                  query: description,
                  mode: 'vector',
                  top_k: 3,
                  threshold: -1,
                });
            if (status === 201) created.push(description);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            // A replica that is not ready would answer by words: a search that was sent to it too early.
            if (body.source === 'keyword') failures.push('words answered a search');
          } catch (error) {
            failures.push(String((error as { cause?: unknown }).cause ?? error));
          }
          await delay(PAUSE_MS);
        }
      };
      const clients = Array.from({ length: CLIENTS }, (_, lane) => client(lane));
      try {
        for (let roll = 0; roll < ROLLS; roll++) {
          for (let n = 0; n < REPLICAS; n++) {
            await replaceUnderRequest(replicas[n]!);
            replicas[n] = await start();
            await waitFor(() => balancer.isReady(replicas[n]!), { what: 'the new replica is found ready' });
          }
        }
      } finally {
        stopped.abort();
        await Promise.all(clients);
        await balancer.stop();
      }
      await stage.untilInStep();
      const { rows } = await stage.query<{ description: string }>('SELECT description FROM projects WHERE id <> $1', [LOCKED]);
      const requests = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      recordTrials({ test: 'T21', what: 'replicas replaced under requests', count: ROLLS * REPLICAS, seed: faultSeed });
      recordTrials({ test: 'T21', what: '  requests meanwhile', count: requests });
      expect(failures).toEqual([]);
      expect([...statuses.keys()].filter((status) => status >= 300)).toEqual([]);
      expect(rows.map(({ description }) => description).sort()).toEqual(created.sort());
    },
    120_000 + ROLLS * 120_000,
  );
});

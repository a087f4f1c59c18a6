import { faultTrials, recordFigure, recordTrials, waitFor } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { atRate, ServiceStage } from './service-stage.js';

const ROWS = faultTrials(150, 1_500);
const ROUNDS = faultTrials(1, 5);
const PER_SECOND = 20;
/** Long enough that every process has seen the switch, and answered with the new generation for a while. */
const SETTLE_MS = 2_500;
const TIMEOUT_MS = 300_000;

interface Generation {
  readonly id: number;
  readonly state: string;
  readonly progress?: { readonly is_filled: boolean; readonly entries: { readonly pending: number } };
}

/* The whole service with its real model: operators switch and go back while people write and search. */
describe('T22: a switch of generation and a rollback under 20 writes/s and 20 searches/s', () => {
  let stage: ServiceStage;

  beforeAll(async () => {
    stage = await ServiceStage.set();
    await stage.database.query(
      `INSERT INTO projects (name, description) SELECT 'Bench', 'Plain bench in larch, variant ' || n FROM generate_series(1, ${ROWS}) AS n`,
    );
    await stage.untilDrained(TIMEOUT_MS);
  }, TIMEOUT_MS);
  afterAll(() => stage.strike(), 60_000);

  const admin = async <Reply>(method: string, path: string, body?: unknown): Promise<Reply> => {
    const reply = await stage.server.call<Reply>(method, `/api/v1/admin${path}`, body);
    if (reply.status >= 300) throw new Error(`${method} ${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply.body;
  };

  it(
    'fails no search and leaves no difference',
    async () => {
      const failures: string[] = [];
      const ids: string[] = [];
      const generations = new Set<string>();
      let searches = 0;
      let writes = 0;
      const load = new AbortController();
      const traffic = Promise.all([
        atRate(PER_SECOND, load.signal, async (n) => {
          const body = { name: 'Shelf', description: `Shelf in oak number ${n}, version ${n % 7}`, final_price: n };
          const dice = n % 4;
          const target = ids[n % Math.max(1, ids.length)];
          const reply =
            dice < 2 || target === undefined
              ? await stage.server.call<{ id: string }>('POST', '/api/v1/projects', body)
              : dice === 2
                ? await stage.server.call('PATCH', `/api/v1/projects/${target}`, body)
                : await stage.server.call('DELETE', `/api/v1/projects/${ids.shift()!}`);
          writes++;
          if (reply.status === 201) ids.push((reply.body as { id: string }).id);
          else if (![200, 204, 404].includes(reply.status)) failures.push(`write: ${reply.status} ${JSON.stringify(reply.body)}`);
        }),
        atRate(PER_SECOND, load.signal, async (n) => {
          const reply = await stage.server.call<{ results: unknown[]; degraded: boolean; index: { generation: string } }>(
            'POST',
            '/api/v1/similarity/find-similar',
            { query: `plain bench in larch ${n % 50}`, mode: 'vector', top_k: 5, threshold: -1 },
          );
          searches++;
          if (reply.status !== 200 || reply.body.results.length !== 5 || reply.body.degraded) {
            failures.push(`search ${n}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 200)}`);
          } else generations.add(reply.body.index.generation);
        }),
      ]);
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const { id } = await admin<Generation>('POST', '/generations', { source: 'projects', embedder: { max_tokens: 64 + round } });
          await waitFor(async () => (await admin<Generation>('GET', `/generations/${id}`)).progress?.is_filled, {
            what: 'the generation is filled',
            timeoutMs: TIMEOUT_MS,
          });
          await waitFor(
            async () => ((await admin<Generation>('GET', `/generations/${id}`)).progress?.entries.pending ?? ROWS) < ROWS / 10,
            {
              what: 'the generation is nearly written',
              timeoutMs: TIMEOUT_MS,
            },
          );
          await admin('POST', `/generations/${id}/switch`, {});
          await delay(SETTLE_MS);
          await admin('POST', '/generations/rollback', {});
          await delay(SETTLE_MS);
          if (round < ROUNDS - 1) await admin('POST', `/generations/${id}/retire`, {});
        }
      } finally {
        load.abort();
        await traffic;
      }
      await stage.untilDrained(60_000);
      const { items } = await admin<{ items: Generation[] }>('GET', '/generations');
      const certificates = await Promise.all(items.map(({ id }) => stage.certify(id)));
      recordTrials({ test: 'T22', what: 'switches and rollbacks under load', count: 2 * ROUNDS });
      recordTrials({ test: 'T22', what: 'writes and searches meanwhile', count: writes + searches });
      recordFigure({
        name: 'failed searches and writes during a switch and a rollback',
        value: failures.length,
        unit: '',
        goal: '0',
        isMet: failures.length === 0,
      });
      recordFigure({
        name: 'generations with differences after a switch and a rollback',
        value: certificates.filter(({ decision }) => decision !== 'clean').length,
        unit: '',
        goal: '0',
        isMet: certificates.every(({ decision }) => decision === 'clean'),
      });
      expect(failures).toEqual([]);
      expect(certificates.map(({ decision }) => decision)).toEqual(items.map(() => 'clean'));
      expect(generations.size).toBe(ROUNDS + 1);
    },
    TIMEOUT_MS + ROUNDS * 120_000,
  );
});

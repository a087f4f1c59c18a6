import { QdrantDouble, ServerProcess, waitFor } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Reply {
  readonly results: { readonly project: { readonly id: string } }[];
  readonly degraded: boolean;
  readonly source: string;
  readonly index_age_seconds?: number;
  readonly code?: string;
}

/** The built service beside a double of Qdrant that comes and goes. */
describe('the service while Qdrant is away', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-outage-'));
  const double = new QdrantDouble();
  let port: number;
  let server: ServerProcess | null = null;
  let ids: string[];

  const start = async (environment: Record<string, string> = {}) => {
    server = await ServerProcess.start({ DATA_DIR: dataDir, QDRANT_URL: `http://127.0.0.1:${port}`, ...environment });
    return server;
  };
  const search = () =>
    server!.call<Reply>('POST', '/api/v1/similarity/find-similar', {
      query: 'oak kitchen',
      mode: 'vector',
      threshold: -1,
      top_k: 10,
    });
  const copyState = async () =>
    (await server!.call<{ details: { vector_db: { fallback: { copy: string; breaker: string } } } }>('GET', '/health')).body.details
      .vector_db.fallback;

  beforeAll(async () => {
    port = Number(new URL(await double.start()).port);
    const first = await start();
    ids = [];
    for (const name of ['Oak kitchen', 'Beech kitchen', 'Spiral stairs']) {
      const body = { name, description: `${name}, made to measure` };
      const reply = await first.call<{ id: string }>('POST', '/api/v1/projects?wait_for_index_ms=10000', body);
      ids.push(reply.body.id);
    }
    await first.end('SIGTERM');
    await double.stop();
  });
  afterAll(async () => {
    await server?.end('SIGTERM');
    await double.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('starts without it, answers from its copy, takes writes, and connects by itself', async () => {
    await start();
    const degraded = await waitFor(
      async () => {
        const reply = await search();
        return reply.body.source === 'local' && reply;
      },
      { what: 'the copy answers' },
    );
    expect(degraded).toMatchObject({ status: 200, body: { degraded: true, source: 'local', index_age_seconds: expect.any(Number) } });
    expect(degraded.body.results.map(({ project }) => project.id).sort()).toEqual([...ids].sort());
    expect(await copyState()).toMatchObject({ copy: 'ready' });
    expect((await server!.call('GET', '/health')).status).toBe(200);
    const { status, body } = await server!.call<{ id: string }>('POST', '/api/v1/projects', {
      name: 'Roof',
      description: 'written meanwhile',
    });
    expect(status).toBe(201);
    // The copy holds what the index held; how far that is behind is told.
    await waitFor(async () => ((await search()).body.index_age_seconds ?? 0) >= 1, { what: 'the age grows' });
    await double.start(port);
    const healthy = await waitFor(
      async () => {
        const reply = await search();
        return reply.status === 200 && !reply.body.degraded && reply.body.results.length === 4 && reply;
      },
      { what: 'Qdrant answers, and has the new row', timeoutMs: 30_000 },
    );
    expect(healthy.body).toMatchObject({ degraded: false, source: 'qdrant' });
    expect(healthy.body).not.toHaveProperty('index_age_seconds');
    await double.stop();
    // The copy has followed: the next outage finds it complete.
    await waitFor(
      async () => {
        const reply = await search();
        return reply.body.source === 'local' && reply.body.results.some(({ project }) => project.id === body.id);
      },
      { what: 'the copy has the new row' },
    );
    await server!.end('SIGTERM');
  }, 120_000);

  it('answers by words without a copy, and 503 with Retry-After where only the index could', async () => {
    await start({ VECTOR_FALLBACK: 'none' });
    for (let n = 0; n < 10; n++) {
      const { status, body } = await search();
      expect([status, body.degraded, body.source]).toEqual([200, true, 'keyword']);
      expect(body).not.toHaveProperty('index_age_seconds');
      expect(body.results.map(({ project }) => project.id)).toEqual([ids[0], ids[1]]);
    }
    const stats = await fetch(`${server!.url}/api/v1/similarity/stats`);
    expect([stats.status, ((await stats.json()) as Reply).code]).toEqual([503, 'search.index-unavailable']);
    expect(Number(stats.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await server!.call('GET', '/api/v1/projects')).status).toBe(200);
    expect((await server!.call('GET', '/health/ready')).status).toBe(200);
    expect(await copyState()).toEqual({ copy: 'none', breaker: 'open' });
    // Each says it once, however many searches there are.
    for (const message of ['request not answered', 'A search was not answered by the index'])
      expect(server!.output.filter((line) => line.includes(message))).toHaveLength(1);
    await double.start(port);
    await waitFor(async () => (await search()).body.source === 'qdrant', { what: 'Qdrant answers' });
  }, 120_000);
});

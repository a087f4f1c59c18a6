import { createTestDatabase, FakeEmbeddingServer, ServerProcess, waitFor, type TestDatabase } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const KEY = 'sk-canary-7f3a-0123456789abcdef';
const DIMENSIONS = 3072;
const SCHEDULES_OFF = Object.fromEntries(
  ['QUICK_CHECK', 'RECONCILE', 'TOMBSTONE_PURGE', 'CACHE_PURGE', 'STATISTICS'].map((name) => [`SCHEDULE_${name}`, 'off']),
);
jest.setTimeout(180_000);

interface Status {
  readonly state: string;
  readonly attempts: number;
  readonly truncated: boolean;
  readonly last_error: { readonly code: string; readonly message: string } | null;
}

interface Found {
  readonly source: string;
  readonly degraded: boolean;
  readonly results: readonly { readonly project: { readonly id: string; readonly name: string }; readonly similarity: number }[];
}

interface Generation {
  readonly id: number;
  readonly state: string;
  readonly model: string;
  readonly dimensions: number;
  readonly embedder: { readonly provider: string; readonly max_tokens: number };
}

/** Rows, relay, the local index and search, with the vectors of a service that is a double in this process. */
describe('embeddings of a service that speaks the API of OpenAI, end to end', () => {
  let provider: FakeEmbeddingServer;
  let database: TestDatabase;
  let dataDir: string;
  let server: ServerProcess;
  /** Of all processes. */
  const output: string[] = [];

  const environment = (): Record<string, string> => ({
    DATABASE_URL: database.url,
    DATA_DIR: dataDir,
    EMBEDDING_PROVIDER: 'openai',
    EMBEDDING_WORKERS: '1',
    OPENAI_BASE_URL: provider.baseUrl,
    OPENAI_API_KEY: KEY,
    OPENAI_EMBEDDING_MODEL: 'text-embedding-3-large',
    ...SCHEDULES_OFF,
  });

  const end = async (): Promise<void> => {
    expect(await server.end('SIGTERM')).toBe(0);
    output.push(...server.output);
  };

  const add = async (name: string, description = name, wait = 10_000): Promise<string> => {
    const reply = await server.call<{ id: string }>('POST', `/api/v1/projects?wait_for_index_ms=${wait}`, { name, description });
    expect(reply.status).toBe(201);
    return reply.body.id;
  };
  const statusOf = async (id: string) => (await server.call<Status>('GET', `/api/v1/projects/${id}/index-status`)).body;
  const synced = (id: string) =>
    waitFor(async () => (await statusOf(id)).state === 'synced', { what: `${id} is in the index`, timeoutMs: 30_000 });
  const find = async (query: string) => {
    const reply = await server.call<Found>('POST', '/api/v1/similarity/find-similar', { query, top_k: 3, threshold: 0.1, mode: 'vector' });
    const { results, source, degraded } = reply.body;
    return { status: reply.status, source, degraded, names: results?.map(({ project }) => project.name) };
  };
  const serviceState = async () => (await server.call<{ services: { openai_api: string } }>('GET', '/health')).body.services.openai_api;
  const serving = async () =>
    (await server.call<{ items: Generation[] }>('GET', '/api/v1/admin/generations')).body.items.find(({ state }) => state === 'serving')!;

  beforeAll(async () => {
    provider = await FakeEmbeddingServer.start({ apiKey: KEY, dimensions: DIMENSIONS });
    database = await createTestDatabase();
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-openai-'));
  });
  afterAll(async () => {
    if (server?.outcome === null) await end();
    await provider.close();
    await database.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  afterEach(() => {
    provider.behave(null);
    provider.refuseWhen(() => false);
  });

  it('ends the first start with what is wrong, and leaves nothing behind that a better one would stumble over', async () => {
    const wrong = ServerProcess.launch({ ...environment(), OPENAI_API_KEY: `${KEY}-wrong` });
    await expect(wrong.ended).resolves.not.toBe(0);
    expect(wrong.output.join('\n')).toContain('401 (invalid_api_key)');
    output.push(...wrong.output);
    const { rows } = await database.query('SELECT 1 FROM index_generations');
    expect(rows).toHaveLength(0);
  });

  it(`indexes rows with ${DIMENSIONS} dimensions and finds them`, async () => {
    server = await ServerProcess.start(environment());
    for (const name of ['oak stair with handrail', 'walnut kitchen worktop', 'slate roof']) await add(name);
    await expect(find('kitchen in walnut')).resolves.toMatchObject({ status: 200, names: ['walnut kitchen worktop'] });
    expect(await serving()).toMatchObject({
      model: 'text-embedding-3-large',
      dimensions: DIMENSIONS,
      embedder: { provider: 'openai', max_tokens: 8191 },
    });
    const { rows } = await database.query<{ bytes: number }>('SELECT DISTINCT length(vector) AS bytes FROM embedding_cache');
    expect(rows).toEqual([{ bytes: DIMENSIONS * 4 }]);
  });

  it('cuts a text that is too long for the service, and says so', async () => {
    const id = await add('long', 'terrace of larch planks '.repeat(400));
    expect(await statusOf(id)).toMatchObject({ state: 'synced', truncated: true });
    await expect(find('larch terrace')).resolves.toMatchObject({ names: ['long'] });
  });

  it('waits while the service throttles: no attempt is burnt, words answer searches, and all is there afterwards', async () => {
    provider.behave({ kind: 'status', status: 429, headers: { 'retry-after': '3' } });
    const id = await add('parquet floor', 'herringbone parquet', 0);
    await waitFor(async () => (await statusOf(id)).last_error !== null, { what: 'the relay has heard of it' });
    expect(await statusOf(id)).toMatchObject({ state: 'pending', attempts: 0, last_error: { code: 'search.embedder-unavailable' } });
    await expect(serviceState()).resolves.toBe('degraded');
    await expect(find('herringbone parquet')).resolves.toMatchObject({ source: 'keyword', degraded: true, names: ['parquet floor'] });
    provider.behave(null);
    await synced(id);
    await expect(find('herringbone floor')).resolves.toMatchObject({ names: ['parquet floor'] });
  });

  it('blames one row for a text that the service does not take, and no other', async () => {
    provider.refuseWhen((text) => text.includes('poison'));
    const { rows } = await database.query<{ id: string }>(
      `INSERT INTO projects (name, description) SELECT 'door', CASE n WHEN 7 THEN 'poison' ELSE 'door ' || n END FROM generate_series(1, 20) n
       RETURNING id`,
    );
    const bad = rows[6]!.id;
    for (const { id } of rows.filter(({ id: other }) => other !== bad)) await synced(id);
    await waitFor(async () => (await statusOf(bad)).attempts > 0, { what: 'the bad row is blamed' });
    expect(await statusOf(bad)).toMatchObject({
      state: 'pending',
      last_error: { message: expect.stringContaining('400 (invalid_input)') },
    });
    provider.refuseWhen(() => false);
    await synced(bad);
  });

  it.each(['nan', 'short', 'wrong-dimension', 'html'] as const)('stores nothing of an answer that is %s', async (kind) => {
    const vectors = async () =>
      (await database.query<{ count: number }>('SELECT count(*)::integer AS count FROM embedding_cache')).rows[0]!.count;
    const before = await vectors();
    provider.behave({ kind });
    const id = await add(`larder ${kind}`, `larder shelves, ${kind}`, 0);
    await waitFor(async () => (await statusOf(id)).last_error !== null, { what: 'the relay has heard of it' });
    expect(await statusOf(id)).toMatchObject({ state: 'pending', attempts: 0 });
    expect(await vectors()).toBe(before);
    await expect(serviceState()).resolves.toBe('unhealthy');
    provider.behave(null);
    await synced(id);
    expect(await vectors()).toBe(before + 1);
    await expect(serviceState()).resolves.toBe('healthy');
  });

  it('starts while the service is away, and embeds nothing again after a restart', async () => {
    await end();
    provider.behave({ kind: 'cut' });
    provider.requests.length = 0;
    server = await ServerProcess.start(environment());
    expect(provider.requests).toHaveLength(0);
    provider.behave(null);
    expect((await find('slate on a roof')).names?.[0]).toBe('slate roof');
    expect(provider.requests).toHaveLength(1);
  });

  it('builds an index of the bundled model beside it, lets that serve, and goes back', async () => {
    const { body } = await server.call<Generation>('POST', '/api/v1/admin/generations', {
      source: 'projects',
      embedder: { provider: 'local' },
    });
    expect(body).toMatchObject({ model: 'all-MiniLM-L6-v2:q8', dimensions: 384, state: 'building' });
    const progress = () =>
      server.call<{ progress: { is_filled: boolean; entries: { pending: number } } }>('GET', `/api/v1/admin/generations/${body.id}`);
    await waitFor(async () => (await progress()).body.progress.is_filled && (await progress()).body.progress.entries.pending === 0, {
      what: 'the new index is filled',
      timeoutMs: 60_000,
    });
    const switched = await server.call('POST', `/api/v1/admin/generations/${body.id}/switch`, {});
    expect(switched).toMatchObject({ status: 200, body: { state: 'serving' } });
    provider.requests.length = 0;
    await expect(find('staircase')).resolves.toMatchObject({ status: 200, names: expect.arrayContaining(['oak stair with handrail']) });
    expect(provider.requests).toHaveLength(0);
    expect((await server.call('POST', '/api/v1/admin/generations/rollback', {})).status).toBe(200);
    await waitFor(async () => (await find('a slate that was not asked for')).names?.[0] === 'slate roof', {
      what: 'the service answers again',
    });
    expect(provider.requests.length).toBeGreaterThan(0);
  });

  it('writes the key nowhere', async () => {
    await end();
    expect(output.length).toBeGreaterThan(5);
    expect(output.join('\n')).not.toContain('canary');
  });
});

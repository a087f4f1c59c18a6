import { FakeVectorStore, FixedClock } from '#testing';
import { FailoverVectorStore, SearchReplica, VectorStoreError } from '#vector-store';
import { searchReplySchema, statsReplySchema, batchReplySchema } from '#similarity';
import { startHttp, type HttpHarness } from './http-harness.js';

const FIND = '/api/v1/similarity/find-similar';
const BATCH = '/api/v1/similarity/batch-similar';

describe('similarity over HTTP', () => {
  let http: HttpHarness;
  let ids: string[];
  beforeAll(async () => {
    http = await startHttp();
    const rows = [
      {
        name: 'Oak kitchen',
        description: 'island drawers worktop',
        project_type: 'kitchen',
        region: 'Bavaria',
        complexity: 3,
        final_price: 15000,
      },
      { name: 'Beech kitchen', description: 'small drawers', project_type: 'kitchen', region: 'Tyrol', complexity: 2, final_price: 8000.5 },
      { name: 'Spiral stairs', description: 'beech steps', project_type: 'stairs', region: 'Bavaria', complexity: 5, final_price: 22000 },
      { name: 'Roof', description: 'larch shingles', project_type: 'roof', region: null },
    ];
    ids = [];
    for (const row of rows) ids.push((await http.create(row)).id);
    await http.index();
  });
  afterAll(() => http.close());

  const find = (payload: object, url = FIND) => http.send('POST', url, { payload });
  const names = (body: { results: { project: { name: string } }[] }) => body.results.map(({ project }) => project.name);

  it('answers in the agreed shape', async () => {
    const { status, body } = await find({ query: 'kitchen drawers', threshold: 0.1 });
    expect(status).toBe(200);
    expect(searchReplySchema.safeParse(body).error).toBeUndefined();
    expect(body).toMatchObject({
      total: body.results.length,
      degraded: false,
      source: 'local',
      truncated: false,
      index: { generation: '1', model: 'fake:q8', pending: 0 },
    });
    expect(body.results.map(({ rank }: { rank: number }) => rank)).toEqual(body.results.map((_: unknown, index: number) => index + 1));
    expect(body.results[0].project).toEqual((await http.send('GET', `/api/v1/projects/${body.results[0].project.id}`)).body);
    expect(String(body.results[0].similarity)).toMatch(/^0\.\d{1,4}$/);
    expect(body.search_time_ms).toBeGreaterThan(0);
  });

  it('has the defaults of the contract', async () => {
    expect(names((await find({ query: 'oak kitchen island drawers worktop' })).body)).toEqual(['Oak kitchen', 'Beech kitchen']);
    expect(names((await find({ query: 'oak kitchen', threshold: -1, top_k: 1 })).body)).toHaveLength(1);
    expect((await find({ query: 'zebra' })).body).toMatchObject({ results: [], total: 0 });
  });

  it.each([
    [{ project_type: 'stairs' }, ['Spiral stairs']],
    [{ project_type: ['stairs', 'roof'] }, ['Spiral stairs', 'Roof']],
    [{ region: 'Bavaria', complexity: 3 }, ['Oak kitchen']],
    [{ complexity: { gte: 3 } }, ['Oak kitchen', 'Spiral stairs']],
    [{ final_price: { gt: 8000.5, lt: 22000 } }, ['Oak kitchen']],
    [{ final_price: 8000.5 }, ['Beech kitchen']],
    [{ region: 'Nowhere' }, []],
    [{}, ['Oak kitchen', 'Beech kitchen', 'Spiral stairs', 'Roof']],
  ])('filters by %j', async (filters, expected) => {
    const { body } = await find({ query: 'wood', threshold: -1, filters });
    expect(names(body).sort()).toEqual([...expected].sort());
  });

  it.each([
    [{}, '/query', 'required'],
    [{ query: '' }, '/query', 'too-short'],
    [{ query: ' \n' }, '/query', 'blank'],
    [{ query: 'x'.repeat(8_001) }, '/query', 'too-long'],
    [{ query: 'a\0' }, '/query', 'nul'],
    [{ query: '\udc00' }, '/query', 'lone-surrogate'],
    [{ query: ['oak'] }, '/query', 'repeated'],
    [{ query: 'oak', top_k: '5' }, '/top_k', 'wrong-type'],
    [{ query: 'oak', top_k: 0 }, '/top_k', 'too-small'],
    [{ query: 'oak', top_k: 101 }, '/top_k', 'too-large'],
    [{ query: 'oak', top_k: 1.5 }, '/top_k', 'wrong-type'],
    [{ query: 'oak', threshold: 1.01 }, '/threshold', 'too-large'],
    [{ query: 'oak', threshold: null }, '/threshold', 'wrong-type'],
    [{ query: 'oak', mode: 'fuzzy' }, '/mode', 'not-allowed'],
    [{ query: 'oak', mode: 'hybrid' }, '/mode', 'not-available'],
    [{ query: 'oak', mode: 'keyword' }, '/mode', 'not-available'],
    [{ query: 'oak', limit: 5 }, '/limit', 'unknown-field'],
    [{ query: 'oak', filters: { name: 'x' } }, '/filters/name', 'unknown-field'],
    [{ query: 'oak', filters: { complexity: '3' } }, '/filters/complexity', 'wrong-type'],
    [{ query: 'oak', filters: { complexity: {} } }, '/filters/complexity', 'required'],
    [{ query: 'oak', filters: { region: [] } }, '/filters/region', 'too-few'],
    [{ query: 'oak', filters: [] }, '/filters', 'wrong-type'],
  ])('refuses %j', async (payload, pointer, code) => {
    const { status, body } = await find(payload);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'request.invalid', errors: [{ pointer, code }] });
  });

  it('takes the mode it has', async () => {
    expect((await find({ query: 'oak', mode: 'vector' })).status).toBe(200);
  });

  it('takes the longest text', async () => {
    const { status, body } = await find({ query: 'oak '.repeat(2_000) });
    expect([status, body.truncated]).toEqual([200, true]);
  });

  describe('batch', () => {
    it('answers each query in its place', async () => {
      const { status, body } = await find({ queries: ['beech stairs', 'larch roof', 'zebra'], top_k: 1, threshold: 0.1 }, BATCH);
      expect(status).toBe(200);
      expect(batchReplySchema.safeParse(body).error).toBeUndefined();
      expect(body.results.map(names)).toEqual([['Spiral stairs'], ['Roof'], []]);
      expect(body.results[0]).not.toHaveProperty('search_time_ms');
      expect(body.batch_time_ms).toBeGreaterThan(0);
    });

    it.each([
      [{ queries: [] }, '/queries', 'too-few'],
      [{ queries: Array.from({ length: 51 }, () => 'x') }, '/queries', 'too-many'],
      [{ queries: ['a', ''] }, '/queries/1', 'too-short'],
      [{ queries: ['a', 1] }, '/queries/1', 'wrong-type'],
      [{ queries: 'a' }, '/queries', 'wrong-type'],
      [{ query: 'a' }, '/queries', 'required'],
    ])('refuses %j', async (payload, pointer, code) => {
      const { status, body } = await find(payload, BATCH);
      expect(status).toBe(400);
      expect(body.errors).toContainEqual({ pointer, code, detail: expect.any(String) });
    });
  });

  describe('like a stored project', () => {
    it('leaves it out, and knows rows that the index does not', async () => {
      const { status, body } = await http.send('GET', `/api/v1/projects/${ids[0]}/similar?top_k=2&threshold=-1`);
      expect(status).toBe(200);
      expect(searchReplySchema.safeParse(body).error).toBeUndefined();
      expect(names(body)[0]).toBe('Beech kitchen');
      expect(names(body)).toHaveLength(2);
      const { id } = await http.create({ name: 'Larch roof', description: 'shingles' });
      expect(names((await http.send('GET', `/api/v1/projects/${id}/similar/`)).body)).toEqual(['Roof']);
      await http.send('DELETE', `/api/v1/projects/${id}`);
      expect((await http.send('GET', `/api/v1/projects/${id}/similar`)).body.code).toBe('projects.not-found');
    });
  });

  it('counts the index', async () => {
    const { status, body } = await http.send('GET', '/api/v1/similarity/stats');
    expect(status).toBe(200);
    expect(statsReplySchema.safeParse(body).error).toBeUndefined();
    expect(body).toMatchObject({ vector_index: 'local', status: 'green', points_count: 4, vectors_count: 4, indexed_vectors_count: 0 });
  });

  describe('while something is down', () => {
    it('answers 503 with Retry-After, and still takes writes', async () => {
      http.store.failWith(new VectorStoreError('throttled', 'wait', { retryAfterMs: 7_000 }));
      const replies = [
        await find({ query: 'oak' }),
        await find({ queries: ['oak'] }, BATCH),
        await http.send('GET', '/api/v1/similarity/stats'),
        await http.send('GET', `/api/v1/projects/${ids[0]}/similar`),
      ];
      const write = await http.send('PATCH', `/api/v1/projects/${ids[0]}`, { payload: { complexity: 4 } });
      http.store.failWith(null);
      for (const { status, headers, body } of replies) {
        expect([status, headers['retry-after'], body.code, body.retryable]).toEqual([503, '7', 'search.index-unavailable', true]);
        expect(JSON.stringify(body)).not.toContain('wait');
      }
      expect(write.status).toBe(200);
    });

    it('names the model when it is the model', async () => {
      http.embedder.failAlways();
      const { status, headers, body } = await find({ query: 'never seen before' });
      http.embedder.failWhen(() => null);
      expect([status, headers['retry-after'], body.code]).toEqual([503, '1', 'search.embedder-unavailable']);
    });
  });
});

describe('similarity over HTTP while the index is away', () => {
  let http: HttpHarness;
  const copy = new FakeVectorStore();
  const clock = new FixedClock();
  const replica = new SearchReplica(copy, 1_000, clock);
  beforeAll(async () => {
    http = await startHttp({}, (primary) => new FailoverVectorStore({ primary, replica, searchTimeoutMs: 2_000, clock, random: () => 1 }));
    await http.create();
    await http.index();
    const { collection } = http.directory;
    await copy.ensureIndex({ name: collection, dimensions: 2048, payloadIndexes: [], metadata: {} });
    const { points } = await http.store.scroll(collection, { limit: 10, hasVectors: true });
    await copy.upsert(
      collection,
      points.map(({ id, payload, vector }) => ({ id, payload, vector: vector! })),
    );
    http.store.failWith(new VectorStoreError('unavailable', 'refused'));
  });
  afterAll(() => http.close());

  const answers = async () => [
    await http.send('POST', FIND, { payload: { query: 'oak kitchen' } }),
    await http.send('POST', BATCH, { payload: { queries: ['oak kitchen'] } }),
    await http.send('GET', '/api/v1/similarity/stats'),
  ];

  it('says in every reply that a copy answered, and how old it may be', async () => {
    replica.setInStep(http.directory.collection, { readAtMs: clock.monotonicMs(), oldestPendingMs: 1_234 });
    const [found, batch, stats] = await answers();
    for (const body of [found!.body, batch!.body.results[0], stats!.body])
      expect(body).toMatchObject({ degraded: true, source: 'local', index_age_seconds: 1.3 });
    expect(found!.body.results).toHaveLength(1);
    expect(searchReplySchema.safeParse(found!.body).error).toBeUndefined();
    expect(batchReplySchema.safeParse(batch!.body).error).toBeUndefined();
    expect(statsReplySchema.safeParse(stats!.body).error).toBeUndefined();
  });

  it('answers 503 with Retry-After, for searches only, while there is no copy', async () => {
    replica.setState(http.directory.collection, 'building');
    for (const { status, headers, body } of await answers()) {
      expect([status, body.code, body.retryable]).toEqual([503, 'search.index-unavailable', true]);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await http.send('GET', '/api/v1/projects')).status).toBe(200);
    await http.create();
  });

  it('adds no age to a reply of the index itself', async () => {
    http.store.failWith(null);
    clock.advance(60_000);
    const [found] = await answers();
    expect(found!.body).toMatchObject({ degraded: false });
    expect(found!.body).not.toHaveProperty('index_age_seconds');
  });
});

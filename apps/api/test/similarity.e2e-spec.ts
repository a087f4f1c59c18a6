import { DomainError } from '#kernel';
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
    const { status, body } = await find({ query: 'kitchen drawers', threshold: 0.1, mode: 'vector' });
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
    [{ query: 'oak', mode: ['vector'] }, '/mode', 'not-allowed'],
    [{ query: 'oak', mode: null }, '/mode', 'not-allowed'],
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

  describe('modes', () => {
    interface Result {
      readonly project: { readonly name: string };
      readonly similarity: number | null;
      readonly rank: number;
      readonly scores?: unknown;
    }

    const results = async (payload: object): Promise<Result[]> => {
      const { status, body } = await find(payload);
      expect([status, searchReplySchema.safeParse(body).error]).toEqual([200, undefined]);
      return body.results as Result[];
    };

    it('by both when none is named', async () => {
      const query = { query: 'beech drawers', threshold: -1 };
      expect(await results(query)).toEqual(await results({ ...query, mode: 'hybrid' }));
      expect((await find({ queries: ['beech drawers'], threshold: -1 }, BATCH)).body.results[0].results).toEqual(await results(query));
    });

    it('by vector: by similarity, without scores', async () => {
      const found = await results({ query: 'beech drawers', threshold: -1, mode: 'vector' });
      expect(found.map(({ similarity }) => similarity)).toEqual(found.map(({ similarity }) => similarity!).sort((a, b) => b - a));
      for (const result of found) expect(result).toEqual({ project: expect.anything(), similarity: expect.any(Number), rank: result.rank });
    });

    it('by keyword: the rows that have a word in any of its forms, without similarity', async () => {
      const found = await results({ query: 'a drawer, or some shingle', mode: 'keyword' });
      expect(found.map(({ project }) => project.name).sort()).toEqual(['Beech kitchen', 'Oak kitchen', 'Roof']);
      found.forEach((result, index) => {
        expect(result).toMatchObject({ similarity: null, rank: index + 1 });
        const keyword = { score: expect.any(Number), rank: index + 1 };
        expect(result.scores).toEqual({ vector: null, keyword, fused: Math.round(1e6 / (61 + index)) / 1e6 });
      });
      expect((await find({ query: 'zebra', mode: 'keyword' })).body).toMatchObject({
        results: [],
        total: 0,
        degraded: false,
        source: 'keyword',
        index: { generation: '1' },
      });
    });

    it('by both: what either list has, with its place in each', async () => {
      const found = await results({ query: 'larch shingles', threshold: -1, mode: 'hybrid' });
      expect(found[0]).toMatchObject({
        project: { name: 'Roof' },
        rank: 1,
        scores: { vector: { similarity: found[0]!.similarity, rank: 1 }, keyword: { rank: 1 }, fused: 0.032787 },
      });
      expect(found).toHaveLength(4);
      expect(found[3]).toMatchObject({ scores: { vector: { rank: expect.any(Number) }, keyword: null } });
    });

    it('by both: the default threshold is for what only vectors found, a named one for all', async () => {
      // One word of many in common: below 0.3 for the model, and a word all the same.
      const query = 'drawer tall narrow quiet painted white under the window of the attic room';
      const byDefault = await results({ query, mode: 'hybrid' });
      expect(byDefault.map(({ project }) => project.name).sort()).toEqual(['Beech kitchen', 'Oak kitchen']);
      for (const { similarity } of byDefault) expect(similarity).toBeLessThan(0.3);
      expect(await results({ query, mode: 'hybrid', threshold: 0.3 })).toEqual([]);
    });

    it('filters both lists', async () => {
      const filters = { region: 'Bavaria' };
      for (const mode of ['keyword', 'hybrid']) {
        const found = await results({ query: 'beech kitchen drawers', threshold: -1, filters, mode });
        expect(found.map(({ project }) => project.name).sort()).toEqual(['Oak kitchen', 'Spiral stairs']);
      }
    });

    it('finds a row by its words before the index has it', async () => {
      const { id } = await http.create({ name: 'Fachwerkhaus', description: 'Zwei Gauben und eine Außentreppe' });
      for (const mode of ['keyword', 'hybrid']) {
        expect(await results({ query: 'Treppe? Gaube!', mode })).toMatchObject([{ project: { id }, similarity: null }]);
      }
      await http.send('DELETE', `/api/v1/projects/${id}`);
      expect(await results({ query: 'Gaube', mode: 'keyword' })).toEqual([]);
    });

    it('in a batch, for all its queries', async () => {
      const { status, body } = await find({ queries: ['shingles', 'the', 'beech'], mode: 'keyword' }, BATCH);
      expect([status, batchReplySchema.safeParse(body).error]).toEqual([200, undefined]);
      expect(body.results.map((entry: never) => names(entry).sort())).toEqual([['Roof'], [], ['Beech kitchen', 'Spiral stairs']]);
      const both = (await find({ queries: ['larch roof', 'spiral stairs'], mode: 'hybrid', top_k: 1 }, BATCH)).body;
      expect(both.results.map(names)).toEqual([['Roof'], ['Spiral stairs']]);
    });
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
    const DEGRADED = { degraded: true, source: 'keyword', index: { generation: '1', model: 'fake:q8' } };

    it('the index: words answer, in every mode and says so; only its statistics are 503 with Retry-After; writes are taken', async () => {
      http.store.failWith(new VectorStoreError('throttled', 'wait', { retryAfterMs: 7_000 }));
      const found = [
        ...(await Promise.all(['vector', 'hybrid'].map((mode) => find({ query: 'oak kitchen', mode })))),
        await http.send('GET', `/api/v1/projects/${ids[1]}/similar`),
      ];
      const batch = await find({ queries: ['oak', 'zebra'] }, BATCH);
      const stats = await http.send('GET', '/api/v1/similarity/stats');
      const write = await http.send('PATCH', `/api/v1/projects/${ids[0]}`, { payload: { complexity: 4 } });
      http.store.failWith(null);
      for (const { status, body } of found) {
        expect([status, searchReplySchema.safeParse(body).error]).toEqual([200, undefined]);
        expect(body).toMatchObject(DEGRADED);
        expect(body).not.toHaveProperty('index_age_seconds');
        expect(names(body)[0]).toBe('Oak kitchen');
      }
      expect([batch.status, batchReplySchema.safeParse(batch.body).error]).toEqual([200, undefined]);
      expect(batch.body.results).toMatchObject([
        { ...DEGRADED, total: 1 },
        { ...DEGRADED, total: 0 },
      ]);
      expect([stats.status, stats.headers['retry-after'], stats.body.code, stats.body.retryable]).toEqual([
        503,
        '7',
        'search.index-unavailable',
        true,
      ]);
      expect(JSON.stringify(stats.body)).not.toContain('wait');
      expect(write.status).toBe(200);
    });

    it('the model: words answer', async () => {
      http.embedder.failAlways();
      const { status, body } = await find({ query: 'never seen before: shingles' });
      http.embedder.failWhen(() => null);
      expect([status, names(body)]).toEqual([200, ['Roof']]);
      expect(body).toMatchObject(DEGRADED);
    });

    it('any index: words answer, and there is none to tell of', async () => {
      http.directory.fault = new DomainError('search.not-ready');
      const { status, body } = await find({ query: 'shingles', mode: 'hybrid' });
      const stats = await http.send('GET', '/api/v1/similarity/stats');
      http.directory.fault = null;
      expect([status, names(body), searchReplySchema.safeParse(body).error]).toEqual([200, ['Roof'], undefined]);
      expect(body).toMatchObject({ degraded: true, source: 'keyword', index: null });
      expect([stats.status, stats.body.code]).toEqual([503, 'search.not-ready']);
    });
  });
});

describe('similarity over HTTP while the index is away', () => {
  let http: HttpHarness;
  const copy = new FakeVectorStore();
  const clock = new FixedClock();
  const replica = new SearchReplica(copy, 1_000, clock);
  beforeAll(async () => {
    http = await startHttp(
      {},
      { makeSearches: (primary) => new FailoverVectorStore({ primary, replica, searchTimeoutMs: 2_000, clock, random: () => 1 }) },
    );
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

  it('answers by words while there is no copy, and 503 with Retry-After where only an index could', async () => {
    replica.setState(http.directory.collection, 'building');
    const [found, batch, stats] = await answers();
    for (const body of [found!.body, batch!.body.results[0]]) {
      expect(body).toMatchObject({ degraded: true, source: 'keyword', total: 1 });
      expect(body).not.toHaveProperty('index_age_seconds');
    }
    expect([stats!.status, stats!.body.code, stats!.body.retryable]).toEqual([503, 'search.index-unavailable', true]);
    expect(Number(stats!.headers['retry-after'])).toBeGreaterThan(0);
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

import { queryReplySchema, queryStatsSchema } from '#answers';
import { ChunkDeriver } from '#documents';
import { IndexSourceRegistry } from '#sync';
import { VectorStoreError } from '#vector-store';
import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const DOCUMENTS = [
  {
    title: 'Which wood for stairs?',
    content: 'Oak and ash are hard. Pine is soft.',
    kind: 'faq',
    metadata: { topic: 'stairs', year: 2020, public: true },
  },
  {
    title: 'How thick is a floor board?',
    content: 'Oak boards are twenty millimetres thick.',
    kind: 'faq',
    metadata: { topic: 'floors', year: 2022, public: false },
  },
  {
    title: 'Treppe ölen',
    content: 'Eine Treppe wird zweimal geölt. Danach ruht sie.',
    kind: 'note',
    language: 'de',
    metadata: { topic: 'stairs' },
  },
  { title: 'Roofs', content: 'Larch shingles last long on steep roofs.', metadata: { year: 2024 } },
];

describe('POST /api/v1/query', () => {
  let http: HttpHarness;

  beforeAll(async () => {
    http = await startHttp();
    await http.send('POST', '/api/v1/collections', {
      payload: { name: 'faq', metadata_keys: { topic: 'keyword', year: 'number', public: 'boolean' } },
    });
    await http.send('POST', '/api/v1/collections', { payload: { name: 'empty' } });
    const { body } = await http.send('POST', '/api/v1/documents/batch', {
      payload: { documents: DOCUMENTS.map((document) => ({ collection: 'faq', ...document })) },
    });
    expect(body).toMatchObject({ created: DOCUMENTS.length });
    await http.directory.indexAll(http.app.get(IndexSourceRegistry).get('documents'), http.database.unitOfWork);
  });
  afterAll(() => http.close());

  const ask = async (payload: Json, url = '/api/v1/query') => http.send('POST', url, { payload });
  const titlesOf = async (payload: Json) => {
    const { status, body } = await ask(payload);
    expect([status, body.errors]).toEqual([200, undefined]);
    return queryReplySchema.parse(body).results.map(({ document }) => document.title);
  };

  it('answers with passages, their documents and where they stand', async () => {
    const { status, body } = await ask({ query: 'oak stairs wood', top_k: 2 });
    expect(status).toBe(200);
    const reply = queryReplySchema.parse(body);
    expect(reply).toMatchObject({ total: 2, degraded: false, source: 'local', truncated: false });
    expect(reply.results[0]).toMatchObject({
      rank: 1,
      document: { title: 'Which wood for stairs?', collection: 'faq', metadata: { topic: 'stairs' } },
      chunk: { ordinal: 0, start: 0, end: DOCUMENTS[0]!.content.length, text: DOCUMENTS[0]!.content },
      snippet: '**Oak and ash are hard.** Pine is soft.',
      scores: { vector: { rank: 1 }, keyword: { rank: 1 } },
    });
    expect(reply.answer).toBeUndefined();
    expect((await ask({ query: 'oak stairs wood', top_k: 2 }, '/v1/query')).body.results).toEqual(body.results);
  });

  it.each(['vector', 'keyword', 'hybrid'])('finds by %s', async (mode) => {
    const titles = await titlesOf({ query: 'Treppe', mode, top_k: 1 });
    expect(titles).toEqual(['Treppe ölen']);
  });

  it.each([
    [{ topic: 'stairs' }, ['Treppe ölen', 'Which wood for stairs?']],
    [{ topic: ['floors', 'roofs'] }, ['How thick is a floor board?']],
    [{ year: { gte: 2021, lt: 2024 } }, ['How thick is a floor board?']],
    [{ year: 2024 }, ['Roofs']],
    [{ year: [2020, 2024] }, ['Roofs', 'Which wood for stairs?']],
    [{ public: true }, ['Which wood for stairs?']],
    [{ not: { topic: 'stairs' } }, ['How thick is a floor board?', 'Roofs']],
    [{ not: { year: { gte: 2021 } } }, ['Treppe ölen', 'Which wood for stairs?']],
    [{ or: [{ topic: 'floors' }, { and: [{ year: { gt: 2023 } }] }] }, ['How thick is a floor board?', 'Roofs']],
    [{ topic: 'stairs', year: { lte: 2020 } }, ['Which wood for stairs?']],
    [{}, DOCUMENTS.map(({ title }) => title).sort()],
  ])('filters by %j, in the index and by words alike', async (filters, expected) => {
    const query = 'oak stairs treppe roofs larch thick boards';
    for (const mode of ['vector', 'keyword', 'hybrid']) {
      expect([mode, (await titlesOf({ query, filters, mode, threshold: -1, top_k: 10, collection: 'faq' })).sort()]).toEqual([
        mode,
        expected,
      ]);
    }
  });

  it('never shows a document as it was, whatever the index still has', async () => {
    const change = (assignment: string) => http.database.query(`UPDATE documents SET ${assignment} WHERE title = 'Roofs'`);
    const found = (query = 'larch roofs', filters: Json = {}) =>
      Promise.all(['vector', 'keyword', 'hybrid'].map((mode) => titlesOf({ query, filters, mode, kind: 'roof' })));
    const cut = async () => {
      await http.app.get(ChunkDeriver).runOnce();
      await http.directory.indexAll(http.app.get(IndexSourceRegistry).get('documents'), http.database.unitOfWork);
    };
    await change(`kind = 'roof', metadata = '{"topic": "roofs", "year": 2024}'`);
    expect(await found()).toEqual([[], [], []]);
    await cut();
    expect(await found('larch roofs', { topic: 'roofs' })).toEqual([['Roofs'], ['Roofs'], ['Roofs']]);
    await change(`source_uri = 'https://example.org'`);
    expect(await found()).toEqual([['Roofs'], ['Roofs'], ['Roofs']]);
    await change(`kind = NULL, metadata = '{"year": 2024}'`);
    await cut();
  });

  it('is narrowed to a collection and a kind', async () => {
    expect(await titlesOf({ query: 'oak', collection: 'empty' })).toEqual([]);
    expect(await titlesOf({ query: 'treppe oak', kind: 'note', threshold: -1 })).toEqual(['Treppe ölen']);
  });

  it('answers in words, with citations', async () => {
    const { body } = await ask({ query: 'Which wood for stairs?', answer: true });
    const { answer, results } = queryReplySchema.parse(body);
    expect(answer).toMatchObject({ mode: 'extractive', text: expect.stringContaining('Oak and ash are hard. Pine is soft. [1]') });
    expect(answer!.citations[0]).toMatchObject({ number: 1, document_id: results[0]!.document.id, chunk_id: results[0]!.chunk.id });
    expect((await ask({ query: 'oak', collection: 'empty', answer: true })).body.answer).toMatchObject({ citations: [] });
  });

  it('tells that no model writes, and that nothing is remembered', async () => {
    for (const url of ['/api/v1/query/stats', '/v1/query/stats']) {
      const { status, body } = await http.send('GET', url);
      expect([status, queryStatsSchema.parse(body)]).toEqual([
        200,
        { generator: null, answer_cache: { hits: 0, joined: 0, misses: 0, hit_rate: null, entries: 0, bytes: 0 } },
      ]);
    }
    expect((await http.send('GET', '/api/v1/query/stats?since=1')).status).toBe(400);
  });

  it('answers by words while the index is away', async () => {
    const query = http.store.query.bind(http.store);
    http.store.query = async () => {
      throw new VectorStoreError('unavailable', 'gone');
    };
    try {
      const { status, body } = await ask({ query: 'larch shingles' });
      expect([status, body]).toMatchObject([
        200,
        { degraded: true, source: 'keyword', results: [{ document: { title: 'Roofs' }, similarity: null }] },
      ]);
    } finally {
      http.store.query = query;
    }
  });

  it.each([
    [{}, 400, '/query'],
    [{ query: '' }, 400, '/query'],
    [{ query: 'x'.repeat(8_001) }, 400, '/query'],
    [{ query: 'a\0' }, 400, '/query'],
    [{ query: 'a', top_k: 101 }, 400, '/top_k'],
    [{ query: 'a', top_k: 0 }, 400, '/top_k'],
    [{ query: 'a', mode: 'magic' }, 400, '/mode'],
    [{ query: 'a', threshold: 2 }, 400, '/threshold'],
    [{ query: 'a', collection: 'none' }, 422, '/collection'],
    [{ query: 'a', filters: { colour: 'red' } }, 422, '/filters/colour'],
    [{ query: 'a', filters: { year: 'soon' } }, 422, '/filters/year'],
    [{ query: 'a', collection: 'empty', filters: { topic: 'stairs' } }, 422, '/filters/topic'],
    [{ query: 'a', filters: { or: [{ a: null }] } }, 400, '/filters/or/0/a'],
    [{ query: 'a', filters: [] }, 400, '/filters'],
    [{ query: 'a', extra: true }, 400, '/extra'],
  ])('refuses %j', async (payload, status, pointer) => {
    const reply = await ask(payload);
    expect([reply.status, reply.body.errors.map((error: Json) => error.pointer)]).toEqual([status, [pointer]]);
  });

  it('refuses a filter of a thousand levels', async () => {
    const payload = `{"query":"a","filters":${'{"not":'.repeat(1_000)}{"topic":"x"}${'}'.repeat(1_000)}}`;
    expect((await http.send('POST', '/api/v1/query', { payload, headers: { 'content-type': 'application/json' } })).status).toBe(400);
  });
});

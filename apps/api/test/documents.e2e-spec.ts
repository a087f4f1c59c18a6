import { documentBatchReplySchema, documentPageSchema, writtenDocumentSchema } from '#documents';
import { DomainError } from '#kernel';
import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const DOCUMENT = { collection: 'faq', title: 'Which wood for stairs?', content: 'Oak and ash are hard enough.' };
const UNKNOWN_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';

describe('documents over HTTP', () => {
  let http: HttpHarness;
  let collection: Json;

  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());
  beforeEach(async () => {
    await http.database.query('TRUNCATE collections CASCADE');
    ({ body: collection } = await post('/api/v1/collections', { name: 'faq', metadata_keys: { topic: 'keyword', year: 'number' } }));
  });

  const post = (url: string, payload: Json) => http.send('POST', url, { payload });
  const create = async (fields: Json = {}) => {
    const reply = await post('/api/v1/documents', { ...DOCUMENT, ...fields });
    expect(reply.status).toBe(201);
    return reply;
  };

  describe('collections', () => {
    it('are created, read by name and id, changed and deleted', async () => {
      const { status, headers, body } = await post('/api/v1/collections', { name: 'Katalog Böden' });
      expect({ status, etag: headers['etag'], body }).toMatchObject({
        status: 201,
        etag: '"v1"',
        body: { name: 'Katalog Böden', description: null, language: null, chunk_tokens: 200, chunk_overlap_tokens: 24, metadata_keys: {} },
      });
      expect(headers['location']).toBe(`/api/v1/collections/${body.id}`);
      for (const key of [body.id, encodeURIComponent('Katalog Böden')]) {
        expect((await http.send('GET', `/api/v1/collections/${key}`)).body).toEqual(body);
      }
      expect((await http.send('GET', '/api/v1/collections')).body.items.map(({ name }: Json) => name)).toEqual(['Katalog Böden', 'faq']);
      const patched = await http.send('PATCH', `/api/v1/collections/${body.id}`, {
        payload: { language: 'de' },
        headers: { 'if-match': '"v1"' },
      });
      expect(patched.body).toMatchObject({ language: 'de', version: 2 });
      expect((await http.send('PATCH', `/api/v1/collections/${body.id}`, { payload: {}, headers: { 'if-match': '"v1"' } })).status).toBe(
        412,
      );
      expect((await http.send('DELETE', `/api/v1/collections/${body.id}`)).status).toBe(204);
      expect((await http.send('GET', `/api/v1/collections/${body.id}`)).body.code).toBe('collections.not-found');
    });

    it('have unique names', async () => {
      expect((await post('/api/v1/collections', { name: 'faq' })).body.code).toBe('collections.name-taken');
      const { body } = await post('/api/v1/collections', { name: 'other' });
      expect((await http.send('PATCH', `/api/v1/collections/${body.id}`, { payload: { name: 'faq' } })).status).toBe(409);
    });

    it.each([
      [{}, '/name'],
      [{ name: '' }, '/name'],
      [{ name: 'x'.repeat(65) }, '/name'],
      [{ name: UNKNOWN_ID }, '/name'],
      [{ name: 'a\0' }, '/name'],
      [{ name: 'a', language: 'German' }, '/language'],
      [{ name: 'a', chunk_tokens: 31, chunk_overlap_tokens: 0 }, '/chunk_tokens'],
      [{ name: 'a', chunk_tokens: 64, chunk_overlap_tokens: 33 }, '/chunk_overlap_tokens'],
      [{ name: 'a', metadata_keys: { 'a b': 'keyword' } }, '/metadata_keys/a b'],
      [{ name: 'a', metadata_keys: { a: 'date' } }, '/metadata_keys/a'],
      [
        { name: 'a', metadata_keys: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'keyword'])) },
        '/metadata_keys',
      ],
      [{ name: 'a', extra: 1 }, '/extra'],
    ])('refuse %j', async (payload, pointer) => {
      const { status, body } = await post('/api/v1/collections', payload);
      expect([status, body.errors.map((error: Json) => error.pointer)]).toEqual([400, [pointer]]);
    });

    it('judge a patch by the row', async () => {
      const { status, body } = await http.send('PATCH', '/api/v1/collections/faq', { payload: { chunk_overlap_tokens: 101 } });
      expect([status, body.errors[0].pointer]).toEqual([400, '/chunk_overlap_tokens']);
    });
  });

  it('creates, reads, replaces, patches and deletes', async () => {
    const { headers, body } = await create({ kind: 'faq', external_id: 'A', metadata: { topic: 'stairs', deep: { list: [1, null] } } });
    expect(writtenDocumentSchema.parse(body)).toMatchObject({
      index_state: 'pending',
      collection: 'faq',
      collection_id: collection.id,
      chunked_version: 1,
    });
    const url = `/api/v1/documents/${body.id}`;
    expect([headers['location'], headers['etag']]).toEqual([url, '"v1"']);
    expect((await http.send('GET', url)).body).toMatchObject({ metadata: { topic: 'stairs', deep: { list: [1, null] } } });
    expect((await http.send('GET', url, { headers: { 'if-none-match': '"v1"' } })).status).toBe(304);
    const put = await http.send('PUT', url, { payload: { ...DOCUMENT, title: 'New' }, headers: { 'if-match': '"v1"' } });
    expect([put.status, put.body]).toMatchObject([200, { title: 'New', kind: null, external_id: null, metadata: {}, version: 2 }]);
    expect((await http.send('PUT', url, { payload: DOCUMENT, headers: { 'if-match': '"v1"' } })).status).toBe(412);
    expect((await http.send('PATCH', url, { payload: { kind: 'note' } })).body).toMatchObject({ title: 'New', kind: 'note', version: 3 });
    expect((await http.send('DELETE', url, { headers: { 'if-match': '"v1"' } })).status).toBe(412);
    expect((await http.send('DELETE', url)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await http.send(method, url)).body.code).toBe('documents.not-found');
  });

  it('says where a document stands', async () => {
    const { body } = await create();
    const url = `/api/v1/documents/${body.id}/index-status`;
    expect((await http.send('GET', url)).body).toEqual({
      id: body.id,
      state: 'pending',
      row_version: 1,
      chunked_version: 1,
      chunks: { total: 1, synced: 0, pending: 1, dead: 0 },
      chunking_error: null,
    });
    const { rows } = await http.database.query<{ id: string }>('SELECT id FROM chunks');
    http.directory.setEntry(rows[0]!.id, { state: 'synced' });
    expect((await http.send('GET', url)).body.state).toBe('synced');
    await http.database.query(`UPDATE documents SET title = 'Other'`);
    expect((await http.send('GET', url)).body).toMatchObject({ state: 'pending', chunks: null, chunking_error: null });
    await http.database.query(`UPDATE documents SET chunking_error = 'too odd'`);
    expect((await http.send('GET', url)).body.chunking_error).toBe('too odd');
    http.directory.setEntry(rows[0]!.id, { state: 'pending' });
    const patched = await http.send('PATCH', `/api/v1/documents/${body.id}?wait_for_index_ms=1`, { payload: { kind: 'x' } });
    expect(patched.body).toMatchObject({ index_state: 'pending', version: 3, chunked_version: 3 });
  });

  it('changes a document and its chunks in one transaction, and leaves the chunks for later while the model is away', async () => {
    const { body } = await create();
    const url = `/api/v1/documents/${body.id}`;
    const texts = async () => (await http.database.query('SELECT context, text FROM chunks')).rows;
    const put = await http.send('PUT', url, { payload: { ...DOCUMENT, content: 'Ash.' } });
    expect(put.body).toMatchObject({ version: 2, chunked_version: 2 });
    expect((await http.send('PATCH', url, { payload: { title: 'Steps' } })).body).toMatchObject({ version: 3, chunked_version: 3 });
    expect(await texts()).toEqual([{ context: 'Steps', text: 'Ash.' }]);
    await post('/api/v1/collections', { name: 'other', language: 'de' });
    const moved = await http.send('PATCH', url, { payload: { collection: 'other' } });
    expect(moved.body).toMatchObject({ collection: 'other', version: 4, chunked_version: 4 });
    expect((await http.database.query('SELECT language FROM chunks')).rows).toEqual([{ language: 'de' }]);
    http.directory.fault = new DomainError('search.embedder-unavailable');
    try {
      const later = await http.send('PATCH', url, { payload: { content: 'Oak.' } });
      expect([later.status, later.body]).toMatchObject([200, { version: 5, chunked_version: 4, content: 'Oak.' }]);
    } finally {
      http.directory.fault = null;
    }
  });

  it('lists by collection, kind and external id, page by page', async () => {
    for (let index = 0; index < 5; index++)
      await create({ external_id: `E${index}`, title: `T${4 - index}`, kind: index === 0 ? 'note' : 'faq' });
    const titles: string[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await http.send(
        'GET',
        `/api/v1/documents?sort=title&limit=2&collection=faq&kind=faq${cursor === null ? '' : `&cursor=${cursor}`}`,
      );
      titles.push(...documentPageSchema.parse(body).items.map(({ title }) => title));
      cursor = body.next_cursor;
    } while (cursor !== null);
    expect(titles).toEqual(['T0', 'T1', 'T2', 'T3']);
    expect((await http.send('GET', '/api/v1/documents?external_id=E3')).body.items).toHaveLength(1);
    const { body } = await http.send('GET', '/api/v1/documents?limit=1');
    expect((await http.send('GET', `/api/v1/documents?limit=1&kind=faq&cursor=${body.next_cursor}`)).body.errors[0].code).toBe(
      'invalid-cursor',
    );
    expect((await http.send('GET', '/api/v1/documents?collection=none')).body).toMatchObject({ status: 422, code: 'collections.unknown' });
  });

  it('writes a batch, each with its own result', async () => {
    await create({ external_id: 'B' });
    const { status, body } = await post('/api/v1/documents/batch', {
      documents: [
        { ...DOCUMENT, external_id: 'A' },
        { ...DOCUMENT, external_id: 'B' },
        { ...DOCUMENT, external_id: 'A', title: 'again' },
        { ...DOCUMENT, collection: 'none' },
        { ...DOCUMENT, metadata: { year: 'soon' } },
        { ...DOCUMENT, collection: collection.id },
      ],
    });
    expect(status).toBe(200);
    expect(documentBatchReplySchema.parse(body)).toMatchObject({ created: 2, updated: 0, unchanged: 1, failed: 3 });
    expect(body.results.map(({ status: of, error }: Json) => [of, error?.errors[0].pointer])).toEqual([
      ['created', undefined],
      ['unchanged', undefined],
      ['failed', '/documents/2/external_id'],
      ['failed', '/documents/3/collection'],
      ['failed', '/documents/4/metadata/year'],
      ['created', undefined],
    ]);
    expect((await post('/api/v1/documents/batch', { documents: [DOCUMENT, { ...DOCUMENT, title: '' }] })).body.errors[0].pointer).toBe(
      '/documents/1/title',
    );
  });

  it('deletes many, and a collection with all it has', async () => {
    const ids = [];
    for (let index = 0; index < 3; index++) ids.push((await create()).body.id);
    expect((await post('/api/v1/documents/delete', { ids: [ids[0], UNKNOWN_ID, ids[0]] })).body).toEqual({
      deleted: 1,
      not_found: [UNKNOWN_ID],
    });
    expect((await http.send('DELETE', '/api/v1/collections/faq')).status).toBe(204);
    for (const table of ['documents', 'chunks']) expect((await http.database.query(`SELECT 1 FROM ${table}`)).rows).toEqual([]);
  });

  it.each([
    [{ collection: undefined }, 400, '/collection'],
    [{ collection: 'none' }, 422, '/collection'],
    [{ title: ' ' }, 400, '/title'],
    [{ content: '' }, 400, '/content'],
    [{ content: 'a\0b' }, 400, '/content'],
    [{ content: 'x'.repeat(300_001) }, 400, '/content'],
    [{ language: 'deutsch' }, 400, '/language'],
    [{ metadata: [] }, 400, '/metadata'],
    [{ metadata: 'x' }, 400, '/metadata'],
    [{ metadata: { a: 'b\0' } }, 400, '/metadata'],
    [{ metadata: { 'k\0': 1 } }, 400, '/metadata'],
    [{ metadata: { text: 'x'.repeat(17_000) } }, 400, '/metadata'],
    [{ metadata: JSON.parse('{"a":'.repeat(9) + '1' + '}'.repeat(9)) }, 400, '/metadata'],
    [{ metadata: { topic: 5 } }, 422, '/metadata/topic'],
    [{ metadata: { year: '2020' } }, 422, '/metadata/year'],
    [{ version: 3 }, 400, '/version'],
  ])('refuses %j', async (fields, expected, pointer) => {
    const { status, body } = await post('/api/v1/documents', { ...DOCUMENT, ...fields });
    expect([status, body.errors.map((error: Json) => error.pointer)]).toEqual([expected, [pointer]]);
    expect((await http.database.query('SELECT 1 FROM documents')).rows).toEqual([]);
  });

  it('refuses a second document of the same external id, also by a patch', async () => {
    await create({ external_id: 'A' });
    expect((await post('/api/v1/documents', { ...DOCUMENT, external_id: 'A' })).body.code).toBe('documents.external-id-taken');
    const { body } = await create({ external_id: 'B' });
    expect((await http.send('PATCH', `/api/v1/documents/${body.id}`, { payload: { external_id: 'A' } })).status).toBe(409);
    await post('/api/v1/collections', { name: 'second' });
    await create({ external_id: 'A', collection: 'second' });
  });
});

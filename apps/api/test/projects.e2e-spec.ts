import { PROJECT_BODY, startHttp, type HttpHarness } from './http-harness.js';

const UNKNOWN_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const URL = '/api/v1/projects';

describe('projects over HTTP', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());
  beforeEach(() => http.database.query('TRUNCATE projects'));

  describe('POST', () => {
    it('stores the row and says where it is', async () => {
      const fields = {
        ...PROJECT_BODY,
        project_type: 'kitchen',
        region: 'Baden-Württemberg',
        wood_type: 'oak',
        total_area_sqm: 25.5,
        complexity: 3,
        final_price: 15000.07,
        currency: 'CHF',
        completed_on: '2024-02-29',
        external_id: 'A-1',
      };
      const wakesBefore = http.directory.wakes;
      const reply = await http.send('POST', URL, { payload: fields });
      expect(reply.status).toBe(201);
      expect(reply.body).toEqual({
        ...fields,
        id: expect.any(String),
        version: 1,
        created_at: expect.any(String),
        updated_at: expect.any(String),
        index_state: 'pending',
      });
      expect(reply.headers['location']).toBe(`${URL}/${reply.body.id}`);
      expect(reply.headers['etag']).toBe('"v1"');
      expect(http.directory.wakes).toBe(wakesBefore + 1);
      expect(new Date(reply.body.created_at).getTime()).toBeGreaterThan(Date.now() - 60_000);
      const { rows } = await http.database.query('SELECT final_price::text, total_area_sqm::text, completed_on::text FROM projects');
      expect(rows).toEqual([{ final_price: '15000.07', total_area_sqm: '25.50', completed_on: '2024-02-29' }]);
    });

    it('fills what is missing with null and EUR', async () => {
      const { body } = await http.send('POST', `${URL}/`, { payload: PROJECT_BODY });
      expect(body).toMatchObject({
        project_type: null,
        region: null,
        wood_type: null,
        total_area_sqm: null,
        complexity: null,
        final_price: null,
        currency: 'EUR',
        completed_on: null,
        external_id: null,
      });
    });

    it('answers 409 for an external id that is taken', async () => {
      await http.create({ external_id: 'A-1' });
      const { status, body } = await http.send('POST', URL, { payload: { ...PROJECT_BODY, external_id: 'A-1' } });
      expect([status, body.code]).toEqual([409, 'projects.external-id-taken']);
    });

    it.each([
      [{ name: undefined }, '/name', 'required'],
      [{ name: null }, '/name', 'wrong-type'],
      [{ name: '' }, '/name', 'too-short'],
      [{ name: ' ' }, '/name', 'blank'],
      [{ name: 'x'.repeat(201) }, '/name', 'too-long'],
      [{ name: 'a\0b' }, '/name', 'nul'],
      [{ description: '\ud800' }, '/description', 'lone-surrogate'],
      [{ description: 'x'.repeat(20_001) }, '/description', 'too-long'],
      [{ region: 'a;b' }, '/region', 'forbidden-character'],
      [{ complexity: '3' }, '/complexity', 'wrong-type'],
      [{ complexity: 0 }, '/complexity', 'too-small'],
      [{ complexity: 6 }, '/complexity', 'too-large'],
      [{ complexity: 2.5 }, '/complexity', 'wrong-type'],
      [{ final_price: '15000' }, '/final_price', 'wrong-type'],
      [{ final_price: 1.005 }, '/final_price', 'too-many-decimals'],
      [{ final_price: -1 }, '/final_price', 'too-small'],
      [{ final_price: 1e12 }, '/final_price', 'too-large'],
      [{ total_area_sqm: 1e8 }, '/total_area_sqm', 'too-large'],
      [{ currency: 'eur' }, '/currency', 'invalid-format'],
      [{ completed_on: '2023-02-29' }, '/completed_on', 'invalid-format'],
      [{ completed_on: '0000-01-01' }, '/completed_on', 'invalid-format'],
      [{ external_id: '' }, '/external_id', 'too-short'],
      [{ id: UNKNOWN_ID }, '/id', 'unknown-field'],
      [{ version: 7 }, '/version', 'unknown-field'],
      [{ 'a/b~c': 1 }, '/a~1b~0c', 'unknown-field'],
    ])('refuses %j', async (fields, pointer, code) => {
      const { status, body } = await http.send('POST', URL, { payload: { ...PROJECT_BODY, ...fields } });
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'request.invalid', errors: [{ pointer, code }] });
    });

    it('names every bad field at once', async () => {
      const { body } = await http.send('POST', URL, { payload: { name: 1, complexity: 9, wood: 'oak' } });
      expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
        '/complexity',
        '/description',
        '/name',
        '/wood',
      ]);
    });

    it('waits for the index when asked to, and never changes the status', async () => {
      const slow = await http.send('POST', `${URL}?wait_for_index_ms=30`, { payload: PROJECT_BODY });
      expect([slow.status, slow.body.index_state]).toEqual([201, 'pending']);
      http.directory.fault = new Error('engine down');
      const broken = await http.send('POST', `${URL}?wait_for_index_ms=10`, { payload: PROJECT_BODY });
      http.directory.fault = null;
      expect([broken.status, broken.body.index_state]).toEqual([201, 'pending']);
      const project = await http.create();
      http.directory.setEntry(project.id, { state: 'synced' });
      const synced = await http.send('PATCH', `${URL}/${project.id}?wait_for_index_ms=10000`, { payload: { name: 'x' } });
      expect([synced.status, synced.body.index_state]).toEqual([200, 'synced']);
    });

    it.each(['-1', '10001', '1.5', 'x', ''])('refuses wait_for_index_ms=%s', async (value) => {
      const { status, body } = await http.send('POST', `${URL}?wait_for_index_ms=${value}`, { payload: PROJECT_BODY });
      expect([status, body.errors[0].pointer]).toEqual([400, '?wait_for_index_ms']);
    });

    it('needs neither index nor model', async () => {
      http.directory.fault = new Error('engine down');
      const { status } = await http.send('POST', URL, { payload: PROJECT_BODY });
      http.directory.fault = null;
      expect(status).toBe(201);
    });
  });

  describe('GET one', () => {
    it('answers with the row and its ETag, or 304', async () => {
      const { id, index_state: _, ...row } = (await http.create({ external_id: 'x' })) as never as { id: string; index_state: string };
      const found = await http.send('GET', `${URL}/${id.toUpperCase()}`);
      expect([found.status, found.headers['etag'], found.body]).toEqual([200, '"v1"', { id, ...row }]);
      for (const tag of ['"v1"', 'W/"v1"', '*', '"v9", "v1"']) {
        const same = await http.send('GET', `${URL}/${id}`, { headers: { 'if-none-match': tag } });
        expect([same.status, same.text, same.headers['etag']]).toEqual([304, '', '"v1"']);
      }
      const other = await http.send('GET', `${URL}/${id}`, { headers: { 'if-none-match': '"v2"' } });
      expect(other.status).toBe(200);
    });

    it.each([
      [UNKNOWN_ID, 404, 'projects.not-found'],
      ['1', 400, 'request.invalid'],
      ['%00', 400, 'request.invalid'],
      [`${UNKNOWN_ID}0`, 400, 'request.invalid'],
      [UNKNOWN_ID.replaceAll('-', ''), 400, 'request.invalid'],
    ])('%s answers %d %s', async (id, status, code) => {
      const reply = await http.send('GET', `${URL}/${id}`);
      expect([reply.status, reply.body.code]).toEqual([status, code]);
    });
  });

  describe('PUT and PATCH', () => {
    it('PUT writes the whole row: what is absent becomes null or EUR', async () => {
      const { id } = await http.create({ region: 'Bavaria', currency: 'CHF', external_id: 'A-1', final_price: 1 });
      const { status, body, headers } = await http.send('PUT', `${URL}/${id}`, { payload: { name: 'New', description: 'Newer' } });
      expect([status, headers['etag']]).toEqual([200, '"v2"']);
      expect(body).toMatchObject({
        id,
        name: 'New',
        region: null,
        currency: 'EUR',
        external_id: null,
        final_price: null,
        version: 2,
        index_state: 'pending',
      });
    });

    it('PATCH writes what is named, clears what is null and keeps the rest', async () => {
      const { id } = await http.create({ region: 'Bavaria', wood_type: 'oak', currency: 'CHF' });
      const { status, body } = await http.send('PATCH', `${URL}/${id}`, { payload: { region: null, final_price: 2, currency: null } });
      expect(status).toBe(200);
      expect(body).toMatchObject({ name: PROJECT_BODY.name, region: null, wood_type: 'oak', final_price: 2, currency: 'EUR', version: 2 });
    });

    it('PATCH takes the merge patch type, and an empty patch changes nothing', async () => {
      const { id } = await http.create();
      const { status, body } = await http.send('PATCH', `${URL}/${id}`, {
        payload: '{}',
        headers: { 'content-type': 'application/merge-patch+json' },
      });
      expect([status, body.version]).toEqual([200, 1]);
      expect((await http.send('PATCH', `${URL}/${UNKNOWN_ID}`, { payload: {} })).status).toBe(404);
      expect((await http.send('PATCH', `${URL}/${id}`, { payload: {}, headers: { 'if-match': '"v2"' } })).status).toBe(412);
    });

    it.each([{ name: null }, { description: null }, { nonsense: 1 }, { final_price: '1' }, []])('PATCH refuses %j', async (payload) => {
      const { id } = await http.create();
      expect((await http.send('PATCH', `${URL}/${id}`, { payload })).status).toBe(400);
    });

    it('answers 409 for an external id of another row, and not for its own', async () => {
      await http.create({ external_id: 'A-1' });
      const { id } = await http.create({ external_id: 'A-2' });
      expect((await http.send('PATCH', `${URL}/${id}`, { payload: { external_id: 'A-1' } })).body.code).toBe('projects.external-id-taken');
      expect((await http.send('PUT', `${URL}/${id}`, { payload: { ...PROJECT_BODY, external_id: 'A-1' } })).status).toBe(409);
      expect((await http.send('PUT', `${URL}/${id}`, { payload: { ...PROJECT_BODY, external_id: 'A-2' } })).status).toBe(200);
    });

    it('never creates', async () => {
      expect((await http.send('PUT', `${URL}/${UNKNOWN_ID}`, { payload: PROJECT_BODY })).status).toBe(404);
      expect((await http.send('PATCH', `${URL}/${UNKNOWN_ID}`, { payload: { name: 'x' } })).status).toBe(404);
    });
  });

  describe('DELETE', () => {
    it('deletes once', async () => {
      const { id } = await http.create();
      const reply = await http.send('DELETE', `${URL}/${id}`, { headers: { 'content-type': 'application/json' } });
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect((await http.send('DELETE', `${URL}/${id}`)).status).toBe(404);
      expect((await http.send('GET', `${URL}/${id}`)).status).toBe(404);
    });

    it('may wait for the index', async () => {
      const { id } = await http.create();
      http.directory.setEntry(id, { state: 'tombstone' });
      expect((await http.send('DELETE', `${URL}/${id}?wait_for_index_ms=10000`)).status).toBe(204);
    });
  });

  describe('If-Match', () => {
    const writes = [
      ['PUT', PROJECT_BODY],
      ['PATCH', { name: 'x' }],
      ['DELETE', undefined],
    ] as const;

    it.each(writes)('%s accepts the current version, *, and a list with it', async (method, payload) => {
      for (const tag of ['"v1"', '*', '"v7", "v1"']) {
        const { id } = await http.create();
        const { status } = await http.send(method, `${URL}/${id}`, { headers: { 'if-match': tag }, payload });
        expect(status).toBeLessThan(300);
      }
    });

    it.each(writes)('%s answers 412 to a stale, weak or foreign tag, and changes nothing', async (method, payload) => {
      const { id } = await http.create();
      for (const tag of ['"v2"', 'W/"v1"', '"abc"']) {
        const { status, body } = await http.send(method, `${URL}/${id}`, { headers: { 'if-match': tag }, payload });
        expect([status, body.code]).toEqual([412, 'request.precondition-failed']);
      }
      expect((await http.send('GET', `${URL}/${id}`)).body.version).toBe(1);
      expect((await http.send(method, `${URL}/${UNKNOWN_ID}`, { headers: { 'if-match': '"v1"' }, payload })).status).toBe(404);
      expect((await http.send(method, `${URL}/${id}`, { headers: { 'if-match': 'v1' }, payload })).status).toBe(400);
    });

    it('lets exactly one of many writers of the same version win', async () => {
      const { id } = await http.create();
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          http.send('PATCH', `${URL}/${id}`, { headers: { 'if-match': '"v1"' }, payload: { name: `writer ${n}` } }),
        ),
      );
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(replies.filter(({ status }) => status === 412)).toHaveLength(19);
      expect((await http.send('GET', `${URL}/${id}`)).body.version).toBe(2);
    });
  });

  describe('PUT by external id', () => {
    const put = (externalId: string, fields: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
      http.send('PUT', `${URL}/by-external-id/${encodeURIComponent(externalId)}`, { payload: { ...PROJECT_BODY, ...fields }, headers });

    it('creates, then replaces the whole row', async () => {
      const wakesBefore = http.directory.wakes;
      const created = await put('A/1 ü', { final_price: 5 });
      expect([created.status, created.headers['etag']]).toEqual([201, '"v1"']);
      expect(created.headers['location']).toBe(`${URL}/${created.body.id}`);
      expect(created.headers['x-kindred-token']).toMatch(/./);
      expect(created.body).toMatchObject({ ...PROJECT_BODY, external_id: 'A/1 ü', final_price: 5, version: 1, index_state: 'pending' });
      const replaced = await put('A/1 ü', { external_id: 'A/1 ü', name: 'New' });
      expect([replaced.status, replaced.headers['etag'], replaced.headers['location']]).toEqual([200, '"v2"', undefined]);
      expect(replaced.body).toMatchObject({ id: created.body.id, name: 'New', final_price: null, version: 2 });
      expect(http.directory.wakes).toBe(wakesBefore + 2);
    });

    it('refuses another external id in the body, and a bad one in the path', async () => {
      const differing = await put('A', { external_id: 'B' });
      expect([differing.status, differing.body.errors]).toEqual([400, [expect.objectContaining({ pointer: '/external_id' })]]);
      for (const bad of ['x'.repeat(201), ' ', 'a\0b']) {
        const { status, body } = await put(bad);
        expect([status, body.errors[0].pointer]).toEqual([400, ':external_id']);
      }
      expect((await http.database.query('SELECT 1 FROM projects')).rowCount).toBe(0);
    });

    it('makes one row of many callers at the same moment', async () => {
      const replies = await Promise.all(Array.from({ length: 12 }, (_, n) => put('A', { name: `n${n}` })));
      expect(replies.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 11 }, () => 200), 201]);
      expect((await http.database.query('SELECT version FROM projects')).rows).toEqual([{ version: 12 }]);
    });

    it.each([
      ['If-None-Match: *', { 'if-none-match': '*' }, 201, 412],
      ['If-Match: *', { 'if-match': '*' }, 412, 200],
      ['If-Match with the version', { 'if-match': '"v1"' }, 412, 200],
      ['If-Match with another version', { 'if-match': '"v7"' }, 412, 412],
      ['If-None-Match with the version', { 'if-none-match': '"v1"' }, 201, 412],
      ['If-None-Match with another version', { 'if-none-match': '"v7"' }, 201, 200],
      ['both, and both hold', { 'if-match': '"v1"', 'if-none-match': '"v2"' }, 412, 200],
    ])('%s', async (_name, headers, withoutRow, withRow) => {
      await http.create({ external_id: 'there' });
      const absent = await put('absent', {}, headers);
      const there = await put('there', { name: 'changed' }, headers);
      expect([absent.status, there.status]).toEqual([withoutRow, withRow]);
      const { rows } = await http.database.query(`SELECT name FROM projects WHERE external_id = 'there'`);
      expect(rows).toEqual([{ name: withRow === 200 ? 'changed' : PROJECT_BODY.name }]);
      expect((await http.database.query(`SELECT 1 FROM projects WHERE external_id = 'absent'`)).rowCount).toBe(withoutRow === 201 ? 1 : 0);
    });
  });

  describe('POST delete', () => {
    const remove = (payload: unknown) => http.send('POST', `${URL}/delete`, { payload: payload as object });

    it('deletes what exists and names what does not', async () => {
      const ids = [];
      for (let n = 0; n < 3; n++) ids.push((await http.create()).id);
      const wakesBefore = http.directory.wakes;
      const { status, body } = await remove({ ids: [ids[0], UNKNOWN_ID, ids[1]!.toUpperCase(), ids[0], UNKNOWN_ID] });
      expect([status, body]).toEqual([200, { deleted: 2, not_found: [UNKNOWN_ID] }]);
      expect((await http.database.query('SELECT id FROM projects')).rows).toEqual([{ id: ids[2] }]);
      expect(http.directory.wakes).toBe(wakesBefore + 1);
    });

    it('takes a thousand, and not one more', async () => {
      const ids = Array.from({ length: 1_001 }, (_, n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`);
      expect((await remove({ ids: ids.slice(1) })).body).toMatchObject({ deleted: 0, not_found: expect.any(Array) });
      const { status, body } = await remove({ ids });
      expect([status, body.errors]).toEqual([400, [expect.objectContaining({ pointer: '/ids', code: 'too-many' })]]);
    });

    it.each([{}, { ids: [] }, { ids: 'x' }, { ids: ['x'] }, { ids: [null] }, { ids: [UNKNOWN_ID], all: true }])(
      'refuses %j',
      async (payload) => {
        expect((await remove(payload)).status).toBe(400);
      },
    );
  });

  describe('index-status', () => {
    it('tells what the ledger knows', async () => {
      const { id } = await http.create();
      const unknown = await http.send('GET', `${URL}/${id}/index-status`);
      expect(unknown.body).toEqual({
        id,
        state: 'pending',
        row_version: 1,
        version: null,
        indexed_version: null,
        attempts: 0,
        truncated: null,
        last_error: null,
        generation: null,
      });
      const lastError = { code: 'search.embedder-unavailable', message: 'no', at: '2026-11-21T08:00:00Z' };
      http.directory.setEntry(id, { state: 'dead', version: 12, indexedVersion: 7, attempts: 3, isTruncated: true, lastError });
      const known = await http.send('GET', `${URL}/${id}/index-status`);
      expect(known.body).toEqual({
        id,
        state: 'dead',
        row_version: 1,
        version: 12,
        indexed_version: 7,
        attempts: 3,
        truncated: true,
        last_error: lastError,
        generation: '1',
      });
      expect((await http.send('GET', `${URL}/${UNKNOWN_ID}/index-status`)).status).toBe(404);
    });
  });
});

describe('REQUIRE_IF_MATCH', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp({ REQUIRE_IF_MATCH: 'true' });
  });
  afterAll(() => http.close());

  it.each([
    ['PUT', PROJECT_BODY],
    ['PATCH', { name: 'x' }],
    ['DELETE', undefined],
  ])('%s answers 428 without If-Match', async (method, payload) => {
    const { id } = await http.create();
    const { status, body } = await http.send(method, `${URL}/${id}`, { payload });
    expect([status, body.code]).toEqual([428, 'request.precondition-required']);
    expect((await http.send(method, `${URL}/${id}`, { payload, headers: { 'if-match': '*' } })).status).toBeLessThan(300);
  });

  it('PUT by external id creates without a condition, and demands one to replace', async () => {
    const put = (headers: Record<string, string> = {}) => http.send('PUT', `${URL}/by-external-id/A`, { payload: PROJECT_BODY, headers });
    expect((await put()).status).toBe(201);
    const blind = await put();
    expect([blind.status, blind.body.code]).toEqual([428, 'request.precondition-required']);
    expect((await put({ 'if-match': '"v1"' })).status).toBe(200);
    expect((await put({ 'if-match': '"v1"' })).status).toBe(412);
  });
});

import type { VectorFilter } from '#vector-store';
import fc from 'fast-check';
import { PROJECT_BODY, startHttp, type HttpHarness, type Json } from './http-harness.js';

const SEED = 20261121;
const RUNS = 500;
const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const PROJECTS = '/api/v1/projects';

/** What attackers and broken clients send; each is mixed into random text as well. */
const NASTY = [
  "' OR 1=1 --",
  "'; DROP TABLE projects; --",
  '$1',
  '%',
  '%%',
  '_',
  '\\',
  '\\u0000',
  '\0',
  '\ud800',
  '\udfff\ud800',
  '\u202e',
  '\ufeff',
  '\r\nSet-Cookie: a=b',
  '\u001b[31m',
  '${7*7}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  'NaN',
  'Infinity',
  '-0',
  '1e400',
  '9'.repeat(400),
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  'constructor',
  'true',
  '0x10',
  '١٢٣',
  '１２',
  '🪵'.repeat(50),
  'a\u0300'.repeat(500),
  'ﷺ',
  '"',
  '"}',
  '{"$gt":""}',
  'x'.repeat(20_001),
  '(a+)+$',
  '*',
  '(',
  '|',
  '&',
  'infinity',
  'now()',
  '2026-02-30',
  "\\'; SELECT pg_sleep(5)--",
];
const hostile = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 30 }),
  fc.tuple(fc.string({ maxLength: 10 }), fc.constantFrom(...NASTY)).map(([text, nasty]) => text + nasty),
);
const anyJson = fc.oneof(
  hostile,
  fc.jsonValue({ noUnicodeString: false }),
  fc.constantFrom(null, true, [], {}, [[]], -1, 0, 1.5, 1e308, Number.MAX_SAFE_INTEGER),
);

const TEXT_FIELDS = ['project_type', 'region', 'wood_type'];
const NUMBER_FIELDS = ['complexity', 'final_price', 'total_area_sqm'];

/** The parts of a filter that validation should not have let through. */
function strangeOf(filter: VectorFilter): unknown[] {
  if (filter.kind === 'and') return filter.filters.flatMap(strangeOf);
  if (filter.kind === 'any') {
    const isPlain = (value: unknown) => (typeof value === 'string' ? TEXT_FIELDS.includes(filter.field) : Number.isFinite(value));
    return [...TEXT_FIELDS, ...NUMBER_FIELDS].includes(filter.field) && filter.values.every(isPlain) ? [] : [filter];
  }
  if (filter.kind !== 'range') return [filter];
  const { kind: _, field, ...bounds } = filter;
  return NUMBER_FIELDS.includes(field) && Object.values(bounds).every((bound) => bound === undefined || Number.isFinite(bound))
    ? []
    : [filter];
}

describe(`hostile input (seed ${SEED})`, () => {
  let http: HttpHarness;
  let rows: number;
  beforeAll(async () => {
    http = await startHttp();
    await http.create({ external_id: 'here' });
    expect(
      (await http.send('POST', '/api/v1/collections', { payload: { name: 'there', metadata_keys: { note: 'keyword' } } })).status,
    ).toBe(201);
    await http.index();
    rows = 1;
  });
  afterAll(async () => {
    const { rows: tables } = await http.database.query(`SELECT 1 FROM pg_tables WHERE tablename = 'projects'`);
    expect(tables).toHaveLength(rows);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    await http.close();
  });

  /** A refusal or an honest answer; never an accident. What is accepted must come back as it was sent. */
  async function probe(method: string, url: string, payload?: unknown): Promise<{ status: number; body: Json }> {
    const reply = await http.send(
      method,
      url,
      payload === undefined ? {} : { payload: JSON.stringify(payload), headers: { 'content-type': 'application/json' } },
    );
    if (reply.status >= 500) throw new Error(`${method} ${url} ${JSON.stringify(payload)} answered ${reply.status}: ${reply.text}`);
    return reply;
  }

  const each = (arbitrary: fc.Arbitrary<unknown>, check: (value: never) => Promise<void>) =>
    fc.assert(fc.asyncProperty(arbitrary, check as (value: unknown) => Promise<void>), { seed: SEED, numRuns: RUNS });

  it.each(['name', 'description', 'project_type', 'region', 'wood_type', 'currency', 'completed_on', 'external_id'])(
    'text field %s of a project',
    async (field) => {
      await each(hostile, async (value: string) => {
        const { status, body } = await probe('POST', PROJECTS, { ...PROJECT_BODY, [field]: value });
        expect([201, 400, 409]).toContain(status);
        if (status !== 201) return;
        expect(body[field]).toBe(field.endsWith('_type') || field === 'region' ? value.normalize('NFC') : value);
        expect((await probe('GET', `${PROJECTS}/${body.id}`)).body[field]).toBe(body[field]);
      });
    },
  );

  it.each(['total_area_sqm', 'complexity', 'final_price', 'name', 'anything'])('any JSON as %s of a patch', async (field) => {
    const { id } = await http.create();
    await each(anyJson, async (value) => {
      const { status } = await probe('PATCH', `${PROJECTS}/${id}`, { [field]: value });
      expect([200, 400]).toContain(status);
    });
  });

  it.each([
    'limit',
    'cursor',
    'sort',
    'project_type',
    'region',
    'wood_type',
    'complexity_min',
    'final_price_max',
    'total_area_sqm_min',
    'external_id',
  ])('query parameter %s', async (name) => {
    await each(hostile, async (value: string) => {
      const encoded = encodeURIComponent(value.toWellFormed());
      expect([200, 400]).toContain((await probe('GET', `${PROJECTS}?${name}=${encoded}`)).status);
    });
  });

  it('raw query strings', async () => {
    await each(fc.string({ unit: fc.constantFrom(...'abc=&%+;?#[]0123456789EFef_.~'), maxLength: 40 }), async (query: string) => {
      expect([200, 400]).toContain((await probe('GET', `${PROJECTS}?${query}`)).status);
    });
  });

  it('path parameters', async () => {
    await each(hostile, async (value: string) => {
      // Nothing, and a last slash, lead to the list.
      const encoded = encodeURIComponent(value.toWellFormed()) || '%20';
      for (const [method, url] of [
        ['GET', ''],
        ['DELETE', ''],
        ['GET', '/similar'],
        ['GET', '/index-status'],
      ]) {
        expect([400, 404, 405]).toContain((await probe(method!, `${PROJECTS}/${encoded}${url}`)).status);
      }
    });
  });

  it.each(['if-match', 'if-none-match', 'accept', 'x-request-id', 'content-type'])('header %s', async (name) => {
    await each(hostile, async (value: string) => {
      // What the client library could never send is no test of the service.
      const header = value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').slice(0, 8_000);
      const reply = await http.send('PUT', `${PROJECTS}/${ID}`, {
        payload: JSON.stringify(PROJECT_BODY),
        headers: { 'content-type': 'application/json', [name]: header },
      });
      expect([400, 404, 406, 412, 415]).toContain(reply.status);
    });
  });

  it('query of a search', async () => {
    await each(hostile, async (query: string) => {
      const { status } = await probe('POST', '/api/v1/similarity/find-similar', { query });
      expect([200, 400]).toContain(status);
    });
  });

  it('filters of a search', async () => {
    const field = fc.constantFrom(
      'project_type',
      'region',
      'wood_type',
      'complexity',
      'final_price',
      'total_area_sqm',
      'must',
      '$where',
      'constructor',
    );
    const range = fc.dictionary(fc.constantFrom('gt', 'gte', 'lt', 'lte', '$gt'), anyJson);
    const reached: VectorFilter[] = [];
    const query = http.store.query.bind(http.store);
    http.store.query = (collection, asked, options) => {
      if (asked.filter !== undefined) reached.push(asked.filter);
      return query(collection, asked, options);
    };
    const good = fc.constantFrom('kitchen', ['kitchen', 'stairs'], 3, { gte: 2, lte: 4 }, { gt: 1 });
    const value = fc.oneof({ weight: 4, arbitrary: good }, anyJson, fc.array(hostile), range);
    await each(fc.dictionary(field, value, { maxKeys: 2 }), async (filters) => {
      const before = reached.length;
      const { status } = await probe('POST', '/api/v1/similarity/find-similar', { query: 'oak', filters, mode: 'vector' });
      expect([200, 400]).toContain(status);
      if (status === 400) expect(reached).toHaveLength(before);
    });
    // What is left of them when they reach the store: names of a list, and plain values of their type.
    expect(reached.flatMap(strangeOf)).toEqual([]);
    expect(reached.length).toBeGreaterThan(5);
    http.store.query = query;
  });

  it.each([[['title', 'content', 'metadata']], [['kind', 'external_id', 'source_uri']], [['language']]])(
    'text fields %j of a document',
    async (fields) => {
      const values = fc.sample(hostile, { seed: SEED, numRuns: RUNS });
      const taken: string[] = [];
      for (const value of values) {
        const hostileFields = Object.fromEntries(fields.map((field) => [field, field === 'metadata' ? { note: value } : value]));
        const { status, body } = await probe('POST', '/api/v1/documents', {
          collection: 'there',
          title: 't',
          content: 'c',
          ...hostileFields,
        });
        expect([value, [201, 400, 409].includes(status)]).toEqual([value, true]);
        if (status === 201) taken.push(...fields.map((field) => (field === 'metadata' ? body.metadata.note : body[field])));
      }
      const sent = new Set(values.flatMap((value) => [value, value.normalize('NFC')]));
      expect(taken.filter((value) => !sent.has(value))).toEqual([]);
    },
  );

  it.each([
    ['/api/v1/collections', 'name', {}],
    ['/api/v1/query', 'query', { collection: 'there' }],
    ['/api/v1/query', 'collection', { query: 'oak' }],
    ['/api/chat/message', 'message', {}],
    ['/api/v1/admin/keys', 'name', { scopes: ['read'] }],
  ])('text of %s: %s', async (url, field, rest) => {
    for (const value of fc.sample(hostile, { seed: SEED, numRuns: RUNS })) {
      const { status } = await probe('POST', url, { ...rest, [field]: value });
      expect([value, [200, 201, 400, 404, 409, 422].includes(status)]).toEqual([value, true]);
    }
  });

  it('any JSON as the body', async () => {
    await each(anyJson, async (body) => {
      for (const url of [PROJECTS, '/api/v1/similarity/find-similar', '/api/v1/similarity/batch-similar'])
        expect((await probe('POST', url, body)).status).toBe(400);
    });
  });

  it('any bytes as the body', async () => {
    await each(fc.uint8Array({ maxLength: 200 }), async (bytes: Uint8Array) => {
      const reply = await http.send('POST', PROJECTS, { payload: Buffer.from(bytes), headers: { 'content-type': 'application/json' } });
      expect(reply.status).toBe(400);
    });
  });
});

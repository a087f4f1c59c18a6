import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const JSON_TYPE = { 'content-type': 'application/json' };

/** Routes with a body, and one that each of them takes. */
const BODIES: readonly [string, string, Json][] = [
  ['POST', '/api/v1/projects', { name: 'Oak', description: 'Oak kitchen' }],
  ['PUT', `/api/v1/projects/${ID}`, { name: 'Oak', description: 'Oak kitchen' }],
  ['PATCH', `/api/v1/projects/${ID}`, { name: 'Oak' }],
  ['POST', '/api/v1/projects/delete', { ids: [ID] }],
  ['POST', '/api/v1/similarity/find-similar', { query: 'oak' }],
  ['POST', '/api/v1/similarity/batch-similar', { queries: ['oak'] }],
  ['POST', '/api/v1/collections', { name: 'made' }],
  ['POST', '/api/v1/documents', { collection: 'there', title: 't', content: 'c' }],
  ['POST', '/api/v1/query', { query: 'oak', collection: 'there' }],
  ['POST', '/api/chat/message', { message: 'Is oak hard?' }],
];
/** Routes with parameters, and one of them. */
const QUERIES: readonly [string, string, string][] = [
  ['/api/v1/projects', 'limit', '1'],
  ['/api/v1/projects', 'region', 'Tyrol'],
  ['/api/v1/projects', 'sort', 'name'],
  [`/api/v1/projects/${ID}/similar`, 'top_k', '1'],
  ['/api/v1/documents', 'limit', '1'],
  ['/api/v1/jobs', 'limit', '1'],
  ['/api/v1/admin/dead-letters', 'limit', '1'],
  ['/api/v1/admin/certificates', 'limit', '1'],
  ['/api/v1/admin/audit', 'limit', '1'],
];

/** Ways to the prototype of everything, as text, so that no serializer tidies them up. */
const PROTOTYPES = [
  '"__proto__":{"polluted":true}',
  '"__proto__":null',
  '"\\u005f_proto__":{"polluted":true}',
  '"__\\u0070roto__":{"polluted":true}',
  '"constructor":{"prototype":{"polluted":true}}',
  '"prototype":{"polluted":true}',
  '"x":{"__proto__":{"polluted":true}}',
  '"x":[[{"__proto__":{"polluted":true}}]]',
  '"x":{"constructor":{"prototype":{"polluted":true}}}',
  '"__proto__.polluted":true',
  '"__defineGetter__":{"polluted":true}',
];
const PROTOTYPE_NAMES = [
  '__proto__',
  '__proto__[polluted]',
  '__proto__.polluted',
  '%5F%5Fproto%5F%5F',
  'constructor',
  'constructor[prototype][polluted]',
  'prototype',
  'toString',
  'hasOwnProperty',
  'x[__proto__]',
];
/** What stands where one value of another type belongs. Each must be told that it does not. */
const WRONG_VALUES = [
  '1',
  'true',
  '[]',
  '["a"]',
  '{}',
  '{"$gt":""}',
  '1e400',
  '-1e400',
  '99999999999999999999',
  'null,"twice":1',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
];
const NO_JSON = [
  'NaN',
  'Infinity',
  '-Infinity',
  'undefined',
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  "'a'",
  '"a\u0000"',
  '"a\n"',
  '`a`',
  '/a/',
  '"\\x41"',
  '"\\u12"',
];

describe('parameters of another kind', () => {
  let http: HttpHarness;
  let asked: number;
  beforeAll(async () => {
    http = await startHttp({ RATE_LIMIT_ADDRESS_PER_MINUTE: '0' });
    expect((await http.send('POST', '/api/v1/collections', { payload: { name: 'there' } })).status).toBe(201);
  });
  beforeEach(() => (asked = 0));
  afterAll(() => http.close());

  /** Refused as the caller's mistake, and nothing has got into the prototype of objects. */
  async function refuse(method: string, url: string, payload?: string): Promise<void> {
    asked++;
    const reply = await http.send(method, url, payload === undefined ? {} : { payload, headers: JSON_TYPE });
    expect([method, url, payload, reply.status, reply.body?.status]).toEqual([method, url, payload, 400, 400]);
    for (const name of ['polluted', 'twice']) expect(({} as Record<string, unknown>)[name]).toBeUndefined();
  }
  /** The body with more text inside its braces. */
  const withText = (body: Json, text: string): string => `${JSON.stringify(body).slice(0, -1)},${text}}`;

  it('are taken as they were meant', async () => {
    for (const [method, url, body] of BODIES) {
      const { status } = await http.send(method, url, { payload: body });
      expect([url, [200, 201, 404].includes(status)]).toEqual([url, true]);
    }
    for (const [url, name, value] of QUERIES) {
      const { status } = await http.send('GET', `${url}?${name}=${value}`);
      expect([url, [200, 404].includes(status)]).toEqual([url, true]);
    }
  });

  it('are refused when they lead to the prototype: 200 bodies and query strings', async () => {
    for (const [method, url, body] of BODIES) for (const text of PROTOTYPES) await refuse(method, url, withText(body, text));
    for (const [url] of QUERIES) for (const name of PROTOTYPE_NAMES) await refuse('GET', `${url}?${name}=1`);
    expect(asked).toBe(200);
  });

  it('are refused as metadata and as columns as well', async () => {
    for (const text of PROTOTYPES.slice(0, 4))
      await refuse('POST', '/api/v1/documents', `{"collection":"there","title":"t","content":"c","metadata":{${text}}}`);
    const { body } = await http.send('POST', '/api/v1/documents', {
      payload: '{"collection":"there","title":"t","content":"c","metadata":{"constructor":"x"}}',
      headers: JSON_TYPE,
    });
    // Where a caller may choose names, this is one.
    expect(body.metadata ?? body.errors[0].code).toBeDefined();
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('are refused when they are of another type, no JSON, or there twice: 400 cases', async () => {
    for (const [method, url, body] of BODIES) {
      const [name, value] = Object.entries(body as Record<string, unknown>)[0]!;
      const rest = JSON.stringify({ ...body, [name]: undefined }).slice(1);
      const first = (text: string): string => `{"${name}":${text}${rest === '}' ? '' : ','}${rest}`;
      for (const text of [...WRONG_VALUES, ...NO_JSON]) {
        // Of a list, what is wrong is its elements.
        if (Array.isArray(value) && text.startsWith('[')) await refuse(method, url, first('[[]]'));
        else await refuse(method, url, first(text));
      }
      await refuse(method, url, withText(body, `"${name}":${JSON.stringify(value)}`));
      await refuse(method, url, `\ufeff${JSON.stringify(body)}`);
      await refuse(method, url, `${JSON.stringify(body)}${JSON.stringify(body)}`);
    }
    for (const [url, name, value] of QUERIES) {
      const numbers =
        name === 'limit' || name === 'top_k' ? ['NaN', '1e400', '1e1', '0x1', '٣', '1.0', '-0', '+1', '99999999999999999999'] : [];
      for (const wrong of [...numbers, '', '%00', '%ED%A0%80', '%', '%C3'].map((text) => `${name}=${text}`))
        await refuse('GET', `${url}?${wrong}`);
      await refuse('GET', `${url}?${name}[]=${value}`);
      await refuse('GET', `${url}?${name}[0]=${value}`);
      if (name !== 'region') await refuse('GET', `${url}?${name}=${value}&${name}=${value}`);
    }
    expect(asked).toBeGreaterThan(400);
  });
});

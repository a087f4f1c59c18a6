import { monitorEventLoopDelay } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { startHttp, type HttpHarness } from './http-harness.js';

const PROJECTS = '/api/v1/projects';
const BODY_LIMIT = 1_048_576;
const JSON_TYPE = { 'content-type': 'application/json' };
const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';

/** A list in a body: where it goes, and how much of it is taken. */
const LISTS: [string, number, (length: number) => object, number][] = [
  ['/api/v1/similarity/batch-similar', 50, (length) => ({ queries: filled(length, 'oak') }), 200],
  ['/api/v1/projects/delete', 1_000, (length) => ({ ids: filled(length, ID) }), 200],
  ['/api/v1/documents/delete', 1_000, (length) => ({ ids: filled(length, ID) }), 200],
  ['/api/v1/documents/batch', 100, (length) => ({ documents: filled(length, { collection: 'none', title: 't', content: 'c' }) }), 200],
];
/** A text in a body, and how long it may be. */
const TEXTS: [string, number, (text: string) => object, number][] = [
  [PROJECTS, 200, (name) => ({ name, description: 'd' }), 201],
  [PROJECTS, 20_000, (description) => ({ name: 'n', description }), 201],
  [PROJECTS, 100, (region) => ({ name: 'n', description: 'd', region }), 201],
  [PROJECTS, 100, (project_type) => ({ name: 'n', description: 'd', project_type }), 201],
  [PROJECTS, 100, (wood_type) => ({ name: 'n', description: 'd', wood_type }), 201],
  [PROJECTS, 200, (external_id) => ({ name: 'n', description: 'd', external_id }), 201],
  ['/api/v1/similarity/find-similar', 8_000, (query) => ({ query }), 200],
  ['/api/v1/documents', 500, (title) => ({ collection: 'there', title, content: 'c' }), 201],
  ['/api/v1/documents', 300_000, (content) => ({ collection: 'there', title: 't', content }), 201],
  ['/api/v1/documents', 100, (kind) => ({ collection: 'there', title: 't', content: 'c', kind }), 201],
  ['/api/v1/documents', 200, (external_id) => ({ collection: 'there', title: 't', content: 'c', external_id }), 201],
  ['/api/v1/documents', 2_000, (source_uri) => ({ collection: 'there', title: 't', content: 'c', source_uri }), 201],
  ['/api/v1/collections', 64, (name) => ({ name }), 201],
];
const NUMBERS: [string, string, number, number][] = [
  [PROJECTS, 'limit', 1, 100],
  [PROJECTS, 'complexity_min', 1, 5],
  [PROJECTS, 'complexity_max', 1, 5],
  ['/api/v1/admin/audit', 'limit', 1, 500],
  ['/api/v1/documents', 'limit', 1, 100],
  ['/api/v1/jobs', 'limit', 1, 100],
  ['/api/v1/admin/certificates', 'limit', 1, 500],
  ['/api/v1/admin/dead-letters', 'limit', 1, 500],
];

function filled<T>(length: number, value: T): T[] {
  return Array.from({ length }, () => value);
}

describe('limits of input', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp();
    expect((await http.send('POST', '/api/v1/collections', { payload: { name: 'there' } })).status).toBe(201);
  });
  afterAll(() => http.close());

  const post = (url: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
    http.send('POST', url, { payload, headers: { ...JSON_TYPE, ...headers } });
  const refused = async (url: string, body: object): Promise<void> => {
    const payload = JSON.stringify(body);
    const { status } = await post(url, payload);
    expect([url, status]).toEqual([url, payload.length > BODY_LIMIT ? 413 : 400]);
  };

  it.each(LISTS)('%s takes a list of %i, and none that is longer', async (url, maximum, bodyOf, status) => {
    const reply = await post(url, JSON.stringify(bodyOf(maximum)));
    expect({ status: reply.status, body: reply.status === status ? null : reply.body }).toEqual({ status, body: null });
    for (const length of [maximum + 1, maximum * 100]) await refused(url, bodyOf(length));
    await refused(url, bodyOf(0));
  });

  it.each(TEXTS)('%s takes a text of %i, and none that is longer', async (url, maximum, bodyOf, status) => {
    // Of letters that are in no list of stop words and no pattern refuses.
    const text = (length: number) => 'o'.repeat(length);
    expect((await post(url, JSON.stringify(bodyOf(text(maximum))))).status).toBe(status);
    for (const length of [maximum + 1, maximum * 100]) await refused(url, bodyOf(text(length)));
    await refused(url, bodyOf(''));
  });

  it.each(NUMBERS)('%s: %s from %i to %i', async (url, name, minimum, maximum) => {
    const statusOf = async (value: number) => (await http.send('GET', `${url}?${name}=${value}`)).status;
    expect([await statusOf(minimum), await statusOf(maximum)]).toEqual([200, 200]);
    for (const value of [minimum - 1, maximum + 1, maximum * 100]) expect(await statusOf(value)).toBe(400);
  });

  it('takes a body of exactly one MiB, and none that is larger, announced or not', async () => {
    const search = JSON.stringify({ query: 'oak' });
    const padded = (length: number) => search + ' '.repeat(length - search.length);
    const url = '/api/v1/similarity/find-similar';
    expect((await post(url, padded(BODY_LIMIT))).status).toBe(200);
    for (const length of [BODY_LIMIT + 1, BODY_LIMIT * 100]) expect((await post(url, padded(length))).status).toBe(413);
  });

  it('takes metadata of 16 KiB and 8 levels, and no more', async () => {
    const document = { collection: 'there', title: 't', content: 'c' };
    const statusOf = async (metadata: object) => (await post('/api/v1/documents', JSON.stringify({ ...document, metadata }))).status;
    const ofLength = (length: number) => ({ a: 'x'.repeat(length - 8) });
    const ofDepth = (depth: number): object => (depth === 1 ? { a: 1 } : { a: ofDepth(depth - 1) });
    expect([await statusOf(ofLength(16_384)), await statusOf(ofDepth(8))]).toEqual([201, 201]);
    expect([await statusOf(ofLength(16_385)), await statusOf(ofDepth(9)), await statusOf(ofDepth(31))]).toEqual([400, 400, 400]);
  });

  it('does not unpack a bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const before = process.memoryUsage().rss;
    for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'gzip, identity', 'x-gzip'])
      expect((await post(PROJECTS, bomb.subarray(0, 100_000), { 'content-encoding': coding })).status).toBe(415);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1_048_576);
  });

  it('holds nobody up: what is deep, long or full of names is refused within 100 ms of the event loop', async () => {
    const bodies = [
      '['.repeat(BODY_LIMIT - 10),
      '{"a":'.repeat(200_000),
      `{${Array.from({ length: 90_000 }, (_, n) => `"k${n}":1`).join(',')}}`,
      `{"name":"${'\\u0041'.repeat(170_000)}"}`,
      JSON.stringify({ name: 'n', description: `${'a'.repeat(20_000)}!`, region: '(a+)+$'.repeat(10_000) }),
      `[${'1,'.repeat(500_000)}1]`,
    ];
    let worstMs = Number.POSITIVE_INFINITY;
    // The best of three: the machine has other things to do as well.
    for (let round = 0; round < 3; round++) {
      const delays = monitorEventLoopDelay({ resolution: 5 });
      delays.enable();
      for (const body of bodies) expect((await post(PROJECTS, body)).status).toBe(400);
      delays.disable();
      worstMs = Math.min(worstMs, delays.max / 1e6);
    }
    expect(worstMs).toBeLessThan(100);
  });
});

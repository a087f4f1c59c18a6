import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const PAGE = 'https://shop.example';

/** Without keys, because this is no production: see docs/operations.md, "Who may come in". */
describe('access without keys', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp({ CORS_ORIGINS: PAGE });
  });
  afterAll(() => http.close());

  const statusOf = async (method: string, url: string, options: Json = {}): Promise<number> =>
    (await http.send(method, url, options)).status;

  it('is for programs and pages of this machine', async () => {
    expect(await statusOf('GET', '/api/v1/projects')).toBe(200);
    expect(
      await statusOf('GET', '/api/v1/projects', {
        headers: { host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' },
      }),
    ).toBe(200);
  });

  it('takes a name without a dot, which no page on the Internet can have', async () => {
    expect(await statusOf('GET', '/api/v1/projects', { headers: { host: 'kindred:3000' } })).toBe(200);
    expect(await statusOf('GET', '/api/v1/admin/keys', { headers: { host: 'kindred:3000' } })).toBe(403);
  });

  it.each<Json>([
    { remoteAddress: '10.1.2.3' },
    { headers: { host: 'evil.example' } },
    { headers: { origin: 'https://evil.example' } },
    { headers: { origin: 'null' } },
    { headers: { 'sec-fetch-site': 'cross-site' } },
    { headers: { 'x-forwarded-for': '203.0.113.9' } },
  ])('is not for %j, which gets neither rows nor an import done', async (stranger) => {
    for (const [method, url, payload] of [
      ['GET', '/api/v1/projects', undefined],
      ['POST', '/api/v1/projects', { name: 'x', description: 'x' }],
      ['POST', '/api/v1/jobs/0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11/cancel', undefined],
    ] as const) {
      const reply = await http.send(method, url, { ...stranger, ...(payload === undefined ? {} : { payload }) });
      expect([reply.status, reply.body?.code]).toEqual([403, 'access.local-only']);
    }
    const headers = { ...stranger.headers, 'content-type': 'text/plain' };
    expect(await statusOf('POST', '/api/v1/documents/import?collection=faq', { ...stranger, payload: 'text', headers })).toBe(403);
  });

  it('lets pages in that CORS_ORIGINS names, to all but what operators do', async () => {
    const page = { headers: { origin: PAGE, 'sec-fetch-site': 'cross-site' } };
    expect(await statusOf('GET', '/api/v1/projects', page)).toBe(200);
    expect(await statusOf('GET', '/api/v1/admin/keys', page)).toBe(403);
  });

  it('asks nobody at the probes where they come from', async () => {
    expect(await statusOf('GET', '/nothing', { headers: { host: 'evil.example' } })).toBe(404);
  });
});

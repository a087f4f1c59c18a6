import { startHttp, type HttpHarness } from './http-harness.js';

const ORIGIN = 'https://app.example';
const LOCAL = 'http://localhost:5173';
const PROJECTS = '/api/v1/projects';
const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
/** Every kind of reply: an answer, a miss, a wrong method, a refusal by the checks, a refusal by the rules, a page, a file of it. */
const REPLIES: [string, string, Record<string, string>, number][] = [
  ['GET', PROJECTS, {}, 200],
  ['GET', '/nowhere', {}, 404],
  ['PUT', PROJECTS, {}, 405],
  ['GET', PROJECTS, { accept: 'text/html' }, 406],
  ['GET', `${PROJECTS}?limit=0`, {}, 400],
  ['OPTIONS', PROJECTS, {}, 204],
  ['GET', '/docs', {}, 200],
  ['GET', '/docs/swagger-ui.css', {}, 200],
];

describe('what browsers are told', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());

  it.each(REPLIES)('%s %s %j has the headers of safety', async (method, url, headers, status) => {
    const reply = await http.send(method, url, { headers });
    expect(reply.status).toBe(status);
    expect(reply.headers['content-security-policy']).toBe(
      "default-src 'none';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data:;connect-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    );
    expect(reply.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    // Who made it is nobody's business; and over plain HTTP a browser must ignore the other one.
    for (const name of ['x-powered-by', 'server', 'strict-transport-security']) expect(reply.headers).not.toHaveProperty(name);
  });

  it('the policy blocks nothing of /docs: no script in the page, every file of this service', async () => {
    const { text } = await http.send('GET', '/docs');
    const scripts = [...text.matchAll(/<script([^>]*)>([\s\S]*?)<\/script>/g)];
    expect(scripts.length).toBeGreaterThanOrEqual(3);
    for (const [, attributes, body] of scripts)
      expect([attributes, body!.trim()]).toEqual([expect.stringMatching(/src="\.?\/?docs\//), '']);
    expect(text).not.toMatch(/\son[a-z]+\s*=|javascript:|<iframe|<form|<base|(src|href)="(https?:)?\/\//i);
    for (const [, path] of text.matchAll(/(?:src|href)="\.?\/?(docs\/[^"]+)"/g))
      expect([path, (await http.send('GET', `/${path}`, { headers: { accept: '*/*' } })).status]).toEqual([path, 200]);
  });

  it('lets no page of another origin read an answer by default', async () => {
    for (const [method, url, headers] of REPLIES) {
      const reply = await http.send(method, url, { headers: { ...headers, origin: ORIGIN, 'access-control-request-method': 'POST' } });
      expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
  });
});

describe('CORS_ORIGINS', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp({ CORS_ORIGINS: `${ORIGIN},${LOCAL}` });
  });
  afterAll(() => http.close());

  const preflight = (url: string, origin: string) =>
    http.send('OPTIONS', url, {
      headers: {
        origin,
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'authorization,idempotency-key,if-match',
      },
    });

  it.each([ORIGIN, LOCAL])('lets pages of %s call, and read the headers that matter', async (origin) => {
    for (const [method, url, headers, status] of REPLIES) {
      const reply = await http.send(method, url, { headers: { ...headers, origin } });
      expect([method, url, reply.status, reply.headers['access-control-allow-origin']]).toEqual([method, url, status, origin]);
      const exposed = String(reply.headers['access-control-expose-headers']).toLowerCase();
      for (const name of ['etag', 'location', 'x-request-id', 'x-kindred-token', 'ratelimit', 'retry-after', 'idempotency-replayed'])
        expect(exposed).toContain(name);
      expect(reply.headers['vary']).toMatch(/origin/i);
      expect(reply.headers).not.toHaveProperty('access-control-allow-credentials');
    }
    const asked = await preflight(`${PROJECTS}/${ID}`, origin);
    expect([asked.status, asked.headers['access-control-allow-origin'], asked.headers['access-control-allow-methods']]).toEqual([
      204,
      origin,
      expect.stringContaining('PATCH'),
    ]);
    expect(String(asked.headers['access-control-allow-headers']).toLowerCase()).toMatch(/authorization.*idempotency-key.*if-match/);
    expect(asked.headers['access-control-max-age']).toBe('7200');
  });

  it.each([
    'https://app.example.evil.example',
    'https://app.example:8443',
    'http://app.example',
    'https://APP.example',
    'https://sub.app.example',
    'https://app.example/',
    'null',
    '*',
    '',
  ])('tells a page of %p nothing', async (origin) => {
    for (const reply of [await preflight(PROJECTS, origin), await http.send('GET', PROJECTS, { headers: { origin } })]) {
      expect(reply.headers).not.toHaveProperty('access-control-allow-origin');
      expect(reply.headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  it('leaves 404, 405 and Allow as they are', async () => {
    expect((await http.send('OPTIONS', '/nowhere')).status).toBe(404);
    expect((await preflight('/nowhere', ORIGIN)).status).toBe(404);
    expect((await http.send('GET', '/nowhere')).body.code).toBe('request.not-found');
    const listed = await http.send('OPTIONS', PROJECTS);
    expect([listed.status, listed.headers['allow']]).toEqual([204, 'GET, HEAD, OPTIONS, POST']);
    expect((await http.send('DELETE', PROJECTS)).status).toBe(405);
  });
});

import { SCOPES } from '#security';
import type { HttpHarness, Json } from './http-harness.js';
import { BOOTSTRAP, KeyedStage } from './keyed-stage.js';

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const INCLUDED: Readonly<Record<string, readonly string[]>> = {
  nobody: [],
  read: ['read'],
  write: ['read', 'write'],
  'admin:read': ['admin:read'],
  admin: ['admin', 'admin:read'],
};

describe('scopes', () => {
  let stage: KeyedStage;
  let http: HttpHarness;
  const keys = new Map<string, string>();
  beforeAll(async () => {
    stage = await KeyedStage.set({ RATE_LIMIT_PER_MINUTE: '0', RATE_LIMIT_ADDRESS_PER_MINUTE: '0' });
    ({ http } = stage);
    for (const scope of SCOPES) keys.set(scope, (await stage.make({ name: scope, scopes: [scope] })).key as string);
  });
  afterAll(() => stage.close());

  it('open exactly the routes that ask for them, of all routes', async () => {
    const { body: document } = await http.send('GET', '/docs-json', { headers: { 'x-api-key': BOOTSTRAP } });
    const operations = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
      Object.entries<Json>(item).map(([method, operation]) => ({ method, path, scope: operation['x-required-scope'] as string })),
    );
    let cells = 0;
    for (const { method, path, scope } of operations) {
      for (const [caller, scopes] of Object.entries(INCLUDED)) {
        const key = keys.get(caller);
        // What is sent is nonsense, so that whoever is let in does nothing: only the door is looked at.
        const url = path.replace(/\{\w+\}/g, path.includes('generations') ? '999' : ID);
        const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
        const payload = method === 'get' || method === 'delete' ? {} : { payload: { nonsense: true } };
        const { status } = await http.send(method.toUpperCase(), `${url}?nonsense=1`, { headers, ...payload });
        const isOpen = scope === 'public' || scopes.includes(scope);
        const outcome = status === 401 ? 'no key' : status === 403 ? 'no scope' : status < 429 ? 'in' : `in, ${status}`;
        expect([method, path, caller, outcome]).toEqual([method, path, caller, isOpen ? 'in' : key === undefined ? 'no key' : 'no scope']);
        cells++;
      }
    }
    expect(operations.length).toBeGreaterThan(60);
    expect(cells).toBe(operations.length * 5);
  });

  it('are said for every route that the router knows, in the document as well', async () => {
    const { body: document } = await http.send('GET', '/docs-json', { headers: { 'x-api-key': BOOTSTRAP } });
    const documented = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routes = http.adapter.routes
      .routes()
      .filter(({ method, url }) => method !== 'HEAD' && method !== 'OPTIONS' && !url.startsWith('/docs'));
    expect(routes.map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`).sort()).toEqual(documented.sort());
  });
});

import { operationsOf } from './fuzz/operations.js';
import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const SQL = 'SELECT canary_column FROM vault WHERE id = $1';
const PLACE = 'canary-host.internal:5432';
const PATH = '/srv/canary/node_modules/pg/lib/client.js:1:2';

/** What a driver, a pool, a network and a defect throw. */
const FAULTS: readonly (() => Error)[] = [
  () => Object.assign(new Error(`syntax error in ${SQL}`), { code: '42601', query: SQL, position: '8' }),
  () => Object.assign(new Error('duplicate key value violates unique constraint "canary_key"'), { code: '23505', detail: `Key (${SQL})` }),
  () => Object.assign(new Error(`connect ECONNREFUSED ${PLACE}`), { code: 'ECONNREFUSED', address: PLACE }),
  () => Object.assign(new Error(`getaddrinfo ENOTFOUND ${PLACE}`), { code: 'ENOTFOUND', hostname: PLACE }),
  () => Object.assign(new Error(`ENOENT: no such file or directory, open '${PATH}'`), { code: 'ENOENT', path: PATH }),
  () => new TypeError(`Cannot read properties of undefined (reading 'canary') at ${PATH}`),
  () => new AggregateError([new Error(PLACE), new Error(SQL)], `all of canary failed`),
  () => Object.assign(new Error(`canary timed out at ${PLACE}`), { statusCode: 404, response: { data: SQL } }),
];

describe('faults inside', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp({ RATE_LIMIT_ADDRESS_PER_MINUTE: '0' });
    expect((await http.send('POST', '/api/v1/collections', { payload: { name: 'there' } })).status).toBe(201);
    await http.create();
    await http.index();
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await http.close();
  });

  it('are told to nobody: every operation, with each fault in the database and in the index', async () => {
    const { body: document } = await http.send('GET', '/docs-json');
    const bodies: Record<string, Json> = {
      '/api/v1/projects': { name: 'n', description: 'd' },
      '/api/v1/projects/{id}': { name: 'n', description: 'd' },
      '/api/v1/similarity/find-similar': { query: 'oak' },
      '/api/v1/similarity/batch-similar': { queries: ['oak'] },
      '/api/v1/query': { query: 'oak', collection: 'there' },
      '/api/v1/documents': { collection: 'there', title: 't', content: 'c' },
      '/api/v1/collections': { name: 'n' },
      '/api/chat/message': { message: 'Is oak hard?' },
    };
    let fault = FAULTS[0]!;
    const break_ = (whole: object, methods: readonly string[]): void => {
      for (const method of methods)
        jest.spyOn(whole as Record<string, () => Promise<never>>, method).mockImplementation(() => Promise.reject(fault()));
    };
    break_(http.database.unitOfWork, ['query', 'run']);
    break_(http.store, ['query', 'queryBatch', 'info', 'count']);
    let [asked, failed] = [0, 0];
    for (const { method, path } of operationsOf(document as { paths: object })) {
      // A stream of events says what goes wrong in its own words, and without an end.
      if (path.endsWith('/events')) continue;
      for (fault of FAULTS) {
        const hasBody = method !== 'GET' && method !== 'DELETE';
        const reply = await http.send(method, path.replaceAll(/\{\w+\}/g, ID), hasBody ? { payload: bodies[path] ?? {} } : {});
        const told = JSON.stringify([reply.headers, reply.text]);
        expect([method, path, /canary|SELECT|vault|\.internal|node_modules|ECONN|ENOTFOUND|ENOENT|\.js:\d/.exec(told)?.[0]]).toEqual([
          method,
          path,
          undefined,
        ]);
        asked++;
        if (reply.status >= 500) failed++;
      }
    }
    expect(asked).toBeGreaterThan(500);
    expect(failed).toBeGreaterThan(150);
  }, 120_000);
});

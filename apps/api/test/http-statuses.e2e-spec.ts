import { connect, type AddressInfo } from 'node:net';
import { problemSchema } from '../src/http/problem.schema.js';
import { PROJECT_BODY, startHttp, type HttpHarness, type Reply } from './http-harness.js';

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const PROJECTS = '/api/v1/projects';
const SEARCH = '/api/v1/similarity/find-similar';
const ADMIN = '/api/v1/admin';
const JSON_TYPE = { 'content-type': 'application/json' };

/** A problem is complete, names its request, and carries nothing of the inside. */
function expectProblem(reply: Reply, status: number, code: string): void {
  expect([reply.status, reply.body?.code]).toEqual([status, code]);
  expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(problemSchema.safeParse(reply.body).error).toBeUndefined();
  expect(reply.body).toMatchObject({ type: `urn:kindred:error:${code}`, status, request_id: reply.headers['x-request-id'] });
  expect(reply.text).not.toMatch(/node_modules|\bat .*:\d+:\d+|SELECT |FST_ERR/);
}

describe('HTTP manners', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());

  describe('paths and methods', () => {
    const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'OPTIONS'];
    const ROUTES: [string, string[]][] = [
      [PROJECTS, ['GET', 'HEAD', 'POST']],
      [`${PROJECTS}/${ID}`, ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']],
      [`${PROJECTS}/${ID}/index-status`, ['GET', 'HEAD']],
      [`${PROJECTS}/${ID}/similar`, ['GET', 'HEAD']],
      [`${PROJECTS}/by-external-id/A-1`, ['PUT']],
      ['/api/v1/jobs', ['GET', 'HEAD']],
      [`/api/v1/jobs/${ID}`, ['GET', 'HEAD']],
      [`/api/v1/jobs/${ID}/problems`, ['GET', 'HEAD']],
      [`/api/v1/jobs/${ID}/events`, ['GET', 'HEAD']],
      [`/api/v1/jobs/${ID}/cancel`, ['POST']],
      [`/api/v1/jobs/${ID}/resume`, ['POST']],
      [SEARCH, ['POST']],
      ['/api/v1/similarity/batch-similar', ['POST']],
      ['/api/v1/similarity/stats', ['GET', 'HEAD']],
      [`${ADMIN}/sync/status`, ['GET', 'HEAD']],
      [`${ADMIN}/dead-letters`, ['GET', 'HEAD']],
      [`${ADMIN}/dead-letters/requeue`, ['POST']],
      [`${ADMIN}/reconcile`, ['POST']],
      [`${ADMIN}/certificates`, ['GET', 'HEAD']],
      [`${ADMIN}/certificates/latest`, ['GET', 'HEAD']],
      [`${ADMIN}/certificates/${ID}`, ['GET', 'HEAD']],
      [`${ADMIN}/generations`, ['GET', 'HEAD', 'POST']],
      [`${ADMIN}/generations/1`, ['GET', 'HEAD']],
      [`${ADMIN}/generations/1/gate`, ['POST']],
      [`${ADMIN}/generations/1/switch`, ['POST']],
      [`${ADMIN}/generations/1/rollback`, ['POST']],
      [`${ADMIN}/generations/1/retire`, ['POST']],
      [`${ADMIN}/schedules`, ['GET', 'HEAD']],
      [`${ADMIN}/schedules/statistics`, ['GET', 'HEAD']],
      [`${ADMIN}/schedules/statistics/run`, ['POST']],
    ];

    it.each(
      ROUTES.flatMap(([url, allowed]) =>
        METHODS.filter((method) => !allowed.includes(method) && method !== 'OPTIONS').map((method) => [method, url, allowed] as const),
      ),
    )('%s %s is 405 with Allow', async (method, url, allowed) => {
      for (const path of [url, `${url}/`, `${url}?x=1`]) {
        const reply = await http.send(method, path, {
          payload: method === 'POST' ? '{broken' : undefined,
          headers: method === 'POST' ? JSON_TYPE : {},
        });
        expectProblem(reply, 405, 'request.method-not-allowed');
        expect(reply.headers['allow']!.split(', ')).toEqual([...allowed, 'OPTIONS'].sort());
      }
    });

    it.each(ROUTES)('OPTIONS %s lists the methods', async (url, allowed) => {
      const reply = await http.send('OPTIONS', url);
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect(reply.headers['allow']!.split(', ')).toEqual([...allowed, 'OPTIONS'].sort());
    });

    it.each([
      '/',
      '/api',
      '/api/v1/project',
      `${PROJECTS}/${ID}/nothing`,
      `${PROJECTS}//similar`,
      '/API/v1/projects',
      '/api/v1/projects%2F',
      '/%2e%2e/etc/passwd',
    ])('%s is 404 for every method', async (url) => {
      for (const method of METHODS) {
        const reply = await http.send(method, url);
        // HEAD has no body to look at.
        if (method === 'HEAD') expect(reply.status).toBe(404);
        else expectProblem(reply, 404, 'request.not-found');
      }
    });

    it('answers HEAD like GET, without the body', async () => {
      const { id } = await http.create();
      const head = await http.send('HEAD', `${PROJECTS}/${id}`);
      expect([head.status, head.text, head.headers['etag']]).toEqual([200, '', '"v1"']);
    });

    it.each(['/api/v1/projects/%', `/api/v1/projects/%E0%A4%A`, '/%c0%80'])('%s is no path at all: 400', async (url) => {
      expectProblem(await http.send('GET', url), 400, 'request.invalid');
    });

    it('refuses a very long path parameter with 400', async () => {
      expectProblem(await http.send('GET', `${PROJECTS}/${'a'.repeat(900)}`), 400, 'request.invalid');
      expectProblem(await http.send('GET', `${PROJECTS}/${'a'.repeat(5_000)}`), 400, 'request.invalid');
    });

    it.each([`${PROJECTS}?limit=%`, `${PROJECTS}?%E0%A4%A=1`, `${PROJECTS}?region=%ED%A0%80`, `${PROJECTS}?region=%ff`])(
      '%s is no query string: 400',
      async (url) => {
        expectProblem(await http.send('GET', url), 400, 'request.invalid');
      },
    );
  });

  describe('bodies', () => {
    const post = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE, method = 'POST', url = PROJECTS) =>
      http.send(method, url, { payload, headers });

    it.each([
      ['an unclosed object', '{"name":'],
      ['a single quote', "{'name':1}"],
      ['a trailing comma', '{"name":"a",}'],
      ['NaN', '{"complexity":NaN}'],
      ['text behind the object', '{} {}'],
      ['a byte order mark', '\ufeff{}'],
      ['white space only', '   '],
      ['nothing', ''],
      ['a control character', '{"name":"a\u0001b"}'],
    ])('%s is not JSON: 400', async (_name, payload) => {
      expectProblem(await post(payload), 400, 'request.malformed-json');
    });

    it('refuses bytes that are not UTF-8', async () => {
      expectProblem(
        await post(Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('","description":"x"}')])),
        400,
        'request.malformed-json',
      );
    });

    it.each([
      ['__proto__', '{"__proto__":{"polluted":true},"name":"a","description":"b"}', 'forbidden-name'],
      ['an escaped __proto__', '{"\\u005f_proto__":{"polluted":true}}', 'forbidden-name'],
      ['a nested __proto__', '{"name":{"a":[{"__proto__":1}]}}', 'forbidden-name'],
      ['a name twice', '{"name":"a","name":"b","description":"c"}', 'duplicate-name'],
      ['a name twice, once escaped', '{"name":"a","\\u006eame":"b"}', 'duplicate-name'],
      ['100,000 levels', '['.repeat(100_000), 'too-deep'],
      ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'too-deep'],
    ])('refuses %s', async (_name, payload, code) => {
      const reply = await post(payload);
      expectProblem(reply, 400, 'request.invalid');
      expect(reply.body.errors[0].code).toBe(code);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it.each(['{"constructor":{"prototype":{"polluted":true}}}', '{"prototype":1}', 'null', '[]', '"text"', '1', 'true', '{}'])(
      'refuses %s as a project',
      async (payload) => {
        expectProblem(await post(payload), 400, 'request.invalid');
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
      },
    );

    it('needs a body', async () => {
      expectProblem(await http.send('POST', PROJECTS), 400, 'request.invalid');
      expectProblem(await http.send('POST', SEARCH), 400, 'request.invalid');
    });

    it('reads numbers that no double holds as what they are: too large', async () => {
      const reply = await post('{"name":"a","description":"b","final_price":1e400}');
      expectProblem(reply, 400, 'request.invalid');
    });

    it.each([
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'application/jsonp',
      'application/json; charset=latin1',
      'nonsense',
      'application/merge-patch+json',
    ])('content type %s is 415', async (type) => {
      expectProblem(await post(JSON.stringify(PROJECT_BODY), { 'content-type': type }), 415, 'request.unsupported-media-type');
    });

    it('takes JSON with the charset it has anyway', async () => {
      expect((await post(JSON.stringify(PROJECT_BODY), { 'content-type': 'Application/JSON; charset="UTF-8"' })).status).toBe(201);
    });

    it('does not unpack compressed bodies: 415', async () => {
      expectProblem(await post('{}', { ...JSON_TYPE, 'content-encoding': 'gzip' }), 415, 'request.unsupported-media-type');
    });

    it('takes bodies up to the limit, and 413 from there', async () => {
      const batch = JSON.stringify({ queries: Array.from({ length: 50 }, () => 'ü'.repeat(8_000)) });
      expect((await post(batch, JSON_TYPE, 'POST', '/api/v1/similarity/batch-similar')).status).toBe(200);
      const tooLarge = JSON.stringify({ ...PROJECT_BODY, description: 'x'.repeat(1_048_576) });
      expectProblem(await post(tooLarge), 413, 'request.body-too-large');
      expectProblem(await post('{', { ...JSON_TYPE, 'content-length': '99999999' }), 413, 'request.body-too-large');
    });

    it('lists at most 50 errors', async () => {
      const reply = await post(JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`field${n}`, n]))));
      expectProblem(reply, 400, 'request.invalid');
      expect(reply.body.errors).toHaveLength(50);
    });

    it('echoes no more than the start of a long name', async () => {
      const reply = await post(JSON.stringify({ ['🪵'.repeat(100_000)]: 1 }));
      expect(reply.text.length).toBeLessThan(3_000);
    });
  });

  describe('parameters', () => {
    it.each([
      'limit=1&limit=2',
      'sort=name&sort=name',
      'cursor=a&cursor=b',
      'external_id=a&external_id=b',
      'complexity_min=1&complexity_min=2',
      'limit=0',
      'limit=101',
      'limit=1e1',
      'limit=',
      'limit[]=1',
      'sort=id',
      'sort=name;DROP TABLE projects',
      'sort=--name',
      'cursor=',
      'cursor=abc',
      'cursor=WyJhIiwiYiIsImMiXQ',
      'region=a%00b',
      'region=a%27b',
      'region=',
      'external_id=%00',
      'final_price_min=abc',
      'final_price_min=1e3',
      'complexity_min=0',
      'complexity_max=2.5',
      'nonsense=1',
      '__proto__=1',
      'constructor=1',
      'toString=1',
    ])('GET projects?%s is 400', async (query) => {
      const reply = await http.send('GET', `${PROJECTS}?${query}`);
      expectProblem(reply, 400, 'request.invalid');
      expect(reply.body.errors[0].pointer).toMatch(/^\?/);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it.each([
      ['GET', `${PROJECTS}/${ID}?x=1`],
      ['GET', `${PROJECTS}/${ID}/index-status?x=1`],
      ['GET', `${PROJECTS}/${ID}/similar?top_k=0`],
      ['GET', `${PROJECTS}/${ID}/similar?threshold=2`],
      ['GET', `${PROJECTS}/${ID}/similar?wait_ms=10001`],
      ['GET', `${PROJECTS}/${ID}/similar?consistency_token=x`],
      ['GET', '/api/v1/similarity/stats?x=1'],
      ['GET', '/api/v1/jobs?limit=101'],
      ['GET', '/api/v1/jobs?cursor=x'],
      ['GET', `/api/v1/jobs/${ID}?x=1`],
      ['GET', `/api/v1/jobs/${ID}/problems?cursor=-1`],
      ['POST', `/api/v1/jobs/${ID}/cancel?x=1`],
      ['DELETE', `${PROJECTS}/${ID}?wait_for_index_ms=x`],
    ])('%s %s is 400', async (method, url) => {
      expectProblem(await http.send(method, url), 400, 'request.invalid');
    });
  });

  describe('Accept', () => {
    it.each(['text/html', 'application/xml', 'application/json;q=0, */*', 'image/*', 'nonsense'])('%s is 406', async (accept) => {
      expectProblem(await http.send('GET', PROJECTS, { headers: { accept } }), 406, 'request.not-acceptable');
    });

    it.each(['application/json', '*/*', 'application/*', 'text/html, */*;q=0.1', 'APPLICATION/JSON;q=0.5', 'application/problem+json', ''])(
      '%s is answered',
      async (accept) => {
        expect((await http.send('GET', PROJECTS, { headers: { accept } })).status).toBe(200);
      },
    );

    it('does not concern the documentation', async () => {
      const page = await http.send('GET', '/docs', { headers: { accept: 'text/html' } });
      expect([page.status, page.headers['content-type']]).toEqual([200, expect.stringContaining('text/html')]);
      const asset = await http.send('GET', '/docs/swagger-ui.css', { headers: { accept: 'text/css' } });
      expect(asset.status).toBe(200);
    });
  });

  describe('request ids', () => {
    it('repeats a harmless one', async () => {
      const reply = await http.send('GET', '/nothing', { headers: { 'x-request-id': 'trace-7.a_b' } });
      expect(reply.headers['x-request-id']).toBe('trace-7.a_b');
      expect(reply.body).toMatchObject({ request_id: 'trace-7.a_b', instance: 'urn:kindred:request:trace-7.a_b' });
    });

    it.each(['a b', 'x'.repeat(129), '<script>', 'a"b', 'ü'])('replaces %s by a UUID', async (id) => {
      const reply = await http.send('GET', '/nothing', { headers: { 'x-request-id': id } });
      expect(reply.body.instance).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
      expect(reply.headers['x-request-id']).toBe(reply.body.request_id);
    });
  });

  it('hides what goes wrong inside', async () => {
    http.directory.fault = new Error('SELECT secret FROM vault at /srv/kindred');
    const reply = await http.send('POST', SEARCH, { payload: { query: 'oak' } });
    http.directory.fault = null;
    expectProblem(reply, 500, 'internal.error');
    expect(reply.text).not.toContain('secret');
  });

  describe('on a socket', () => {
    let port: number;
    beforeAll(async () => {
      await http.app.listen(0, '127.0.0.1');
      port = (http.app.getHttpServer().address() as AddressInfo).port;
    });

    const raw = (bytes: string) =>
      new Promise<string>((resolve, reject) => {
        let reply = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
        socket
          .setEncoding('utf8')
          .on('data', (chunk) => (reply += String(chunk)))
          .on('end', () => resolve(reply))
          .on('error', reject);
      });

    it.each([
      ['two lengths', 'POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
      [
        'length and chunks',
        'POST /api/v1/projects HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a bare line feed', 'GET /api/v1/projects HTTP/1.1\nHost: x\n\n'],
      ['an unknown method', 'STEAL /api/v1/projects HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['no HTTP', 'hello\r\n\r\n'],
      ['a NUL in a header', 'GET /api/v1/projects HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n'],
      ['a space in the path', 'GET /api/v1/projects /x HTTP/1.1\r\nHost: x\r\n\r\n'],
    ])('answers %s with 400 and closes', async (_name, bytes) => {
      const reply = await raw(bytes);
      expect(reply).toMatch(/^HTTP\/1\.1 400 /);
      expect(reply).toContain('application/problem+json');
      expect(JSON.parse(reply.split('\r\n\r\n')[1]!)).toMatchObject({ status: 400, code: 'request.invalid' });
    });

    it('answers 431 to headers without end', async () => {
      const reply = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`);
      expect(reply).toMatch(/^HTTP\/1\.1 431 /);
    });
  });
});

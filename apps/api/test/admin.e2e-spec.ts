import { problemSchema } from '../src/http/problem.schema.js';
import { AT, CERTIFICATE_ID, generationOf, ROW_ID } from './admin-doubles.js';
import { startHttp, type HttpHarness, type Json, type Reply } from './http-harness.js';
import { conformsTo } from './json-schema.js';

const ADMIN = '/api/v1/admin';
const ROUTES: [string, string, Json][] = [
  ['GET', '/sync/status', undefined],
  ['POST', '/sync/touch', {}],
  ['GET', '/dead-letters', undefined],
  ['POST', '/dead-letters/requeue', { all: true }],
  ['POST', '/dead-letters/mute', { ids: [ROW_ID], reason: 'seen' }],
  ['POST', '/dead-letters/unmute', { ids: [ROW_ID] }],
  ['POST', '/reconcile', {}],
  ['GET', '/certificates', undefined],
  ['GET', '/certificates/latest', undefined],
  ['GET', `/certificates/${CERTIFICATE_ID}`, undefined],
  ['GET', '/generations', undefined],
  ['GET', '/generations/1', undefined],
  ['POST', '/generations', { source: 'projects' }],
  ['POST', '/generations', { source: 'projects', dry_run: true }],
  ['POST', '/generations/rollback', {}],
  ['POST', '/generations/2/gate', {}],
  ['POST', '/generations/2/switch', {}],
  ['POST', '/generations/2/rollback', {}],
  ['POST', '/generations/2/retire', {}],
  ['GET', '/schedules', undefined],
  ['GET', '/schedules/statistics', undefined],
  ['POST', '/schedules/statistics/run', {}],
  ['GET', '/keys', undefined],
  ['POST', '/keys', { name: 'x', scopes: ['read'] }],
  ['GET', '/audit', undefined],
  ['GET', '/log-levels', undefined],
  ['GET', '/caches', undefined],
  ['POST', '/caches/clear', {}],
  ['POST', '/caches/clear', { cache: 'answers' }],
  ['GET', '/index/stats', undefined],
  ['PUT', '/log-levels', { component: 'sync', level: 'debug' }],
  ['POST', '/log-levels/reset', {}],
];

/** Routes whose answers are looked at in keys.e2e-spec.ts. */
const OTHER_ROUTES: [string, string, Json][] = [
  ['POST', '/keys/0123456789ab/rotate', {}],
  ['DELETE', '/keys/0123456789ab', undefined],
  ['GET', '/audit/export', undefined],
];
const ALL_ROUTES = [...ROUTES, ...OTHER_ROUTES];

describe('admin routes', () => {
  let http: HttpHarness;
  let document: Json;
  beforeAll(async () => {
    http = await startHttp();
    document = (await http.send('GET', '/docs-json')).body;
  });
  afterEach(() => jest.clearAllMocks());
  afterAll(() => http.close());

  const send = (method: string, path: string, payload?: Json, options: Json = {}): Promise<Reply> =>
    http.send(method, `${ADMIN}${path}`, { ...(payload === undefined ? {} : { payload }), ...options });

  function expectProblem(reply: Reply, status: number, code: string): void {
    expect([reply.status, reply.body?.code]).toEqual([status, code]);
    expect(problemSchema.safeParse(reply.body).error).toBeUndefined();
  }

  /** The operation of the document that a path belongs to. */
  function operationOf(method: string, path: string): Json {
    const full = `${ADMIN}${path.split('?')[0]}`;
    const exact = document.paths[full];
    const [, item] =
      exact !== undefined
        ? [full, exact]
        : Object.entries<Json>(document.paths).find(([pattern]) => new RegExp(`^${pattern.replace(/\{\w+\}/g, '[^/]+')}$`).test(full))!;
    return item[method.toLowerCase()];
  }

  it.each(ROUTES)('%s %s %j answers as documented', async (method, path, payload) => {
    const reply = await send(method, path, payload);
    const media = operationOf(method, path).responses[reply.status]?.content['application/json'];
    expect([reply.status, media === undefined ? 'undocumented' : 'documented']).toEqual([
      reply.status < 300 ? reply.status : 'a success',
      'documented',
    ]);
    expect(conformsTo(media.schema, reply.body, document)).toEqual([]);
  });

  describe('only from this machine', () => {
    it('covers every route of the documentation below /api/v1/admin', () => {
      const documented = Object.entries<Json>(document.paths)
        .filter(([path]) => path.startsWith(ADMIN))
        .flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
      const tested = new Set(ALL_ROUTES.map(([method, path]) => operationOf(method, path).operationId as string));
      expect(documented).toHaveLength(tested.size);
      expect(documented.length).toBeGreaterThan(15);
    });

    it.each(ALL_ROUTES)(
      '%s %s %j refuses another machine, proxies, other hosts and pages of other origins',
      async (method, path, payload) => {
        const strangers: Json[] = [
          { remoteAddress: '10.1.2.3' },
          { remoteAddress: '::ffff:172.17.0.1' },
          { headers: { 'x-forwarded-for': '127.0.0.1' } },
          { headers: { 'x-forwarded-proto': 'https' } },
          { headers: { forwarded: 'for=127.0.0.1' } },
          { headers: { 'x-real-ip': '127.0.0.1' } },
          { headers: { via: '1.1 proxy' } },
          { headers: { host: 'kindred.example' } },
          { headers: { origin: 'https://evil.example' } },
          { headers: { origin: 'null' } },
          { headers: { 'sec-fetch-site': 'cross-site' } },
          { headers: { 'sec-fetch-site': 'same-site' } },
        ];
        for (const stranger of strangers) expectProblem(await send(method, path, payload, stranger), 403, 'admin.loopback-only');
        // Nothing was done.
        for (const double of Object.values(http.admin))
          for (const method of Object.values<jest.Mock>(double)) expect(method).not.toHaveBeenCalled();
      },
    );

    it('refuses before it reads what was sent', async () => {
      expectProblem(
        await send('POST', '/dead-letters/requeue', { nonsense: 1 }, { remoteAddress: '10.1.2.3' }),
        403,
        'admin.loopback-only',
      );
    });

    it.each([
      { remoteAddress: '::1' },
      { remoteAddress: '::ffff:127.0.0.1' },
      { headers: { host: '[::1]:3000' } },
      { headers: { host: 'localhost:3000', origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' } },
    ])('answers %j', async (options) => {
      expect((await send('GET', '/sync/status', undefined, options)).status).toBe(200);
    });
  });

  describe('what is refused', () => {
    it.each([
      ['GET', '/sync/status?x=1', undefined],
      ['GET', '/dead-letters?limit=0', undefined],
      ['GET', '/dead-letters?limit=501', undefined],
      ['GET', '/dead-letters?generation=x', undefined],
      ['GET', '/dead-letters?nonsense=1', undefined],
      ['GET', '/dead-letters?limit=1&limit=2', undefined],
      ['POST', '/dead-letters/requeue', {}],
      ['POST', '/dead-letters/requeue', { all: false }],
      ['POST', '/dead-letters/requeue', { all: true, code: 'x' }],
      ['POST', '/dead-letters/requeue', { ids: [] }],
      ['POST', '/dead-letters/requeue', { ids: ['not-a-uuid'] }],
      ['POST', '/dead-letters/requeue', { ids: [ROW_ID], all: true }],
      ['POST', '/dead-letters/requeue', { all: true, everything: true }],
      ['POST', '/dead-letters/requeue', []],
      ['POST', '/sync/touch', { source: 'projects', generation: 1 }],
      ['POST', '/sync/touch', { after: 'x' }],
      ['POST', '/sync/touch', { limit: 0 }],
      ['POST', '/sync/touch', { limit: 5001 }],
      ['POST', '/sync/touch', { all: true }],
      ['POST', '/reconcile', { source: 'projects', generation: 1 }],
      ['POST', '/reconcile', { dry_run: 'yes' }],
      ['POST', '/reconcile', { budget_ms: 1 }],
      ['POST', '/reconcile', { after: 'x' }],
      ['POST', '/reconcile', { dryRun: true }],
      ['POST', '/reconcile?dry_run=true', {}],
      ['GET', '/certificates?cursor=abc', undefined],
      ['GET', '/certificates/latest?source=projects&generation=1', undefined],
      ['GET', '/certificates/nonsense', undefined],
      ['GET', `/certificates/${CERTIFICATE_ID}?download=yes`, undefined],
      ['GET', '/generations?include_retired=1', undefined],
      ['GET', '/generations/0', undefined],
      ['GET', '/generations/1e1', undefined],
      ['GET', '/generations/99999999999', undefined],
      ['POST', '/generations', {}],
      ['POST', '/generations', { source: 'projects', embedder: { max_tokens: 0 } }],
      ['POST', '/generations', { source: 'projects', embedder: { pooling: 'mean' } }],
      ['POST', '/generations', { source: 'projects', embedder: { dimensions: 0 } }],
      ['POST', '/generations', { source: 'projects', embedder: { provider: 'OpenAI' } }],
      ['POST', '/generations', { source: 'projects', embedder: { model: '../../etc' } }],
      ['POST', '/generations', { source: 'projects', embedder: { model: '..' } }],
      ['POST', '/generations', { source: 'projects', embedder: { query_prefix: 'a\0' } }],
      ['POST', '/generations', { source: 'projects', state: 'serving' }],
      ['POST', '/generations/1/gate', { forced: true }],
      ['POST', '/generations/x/gate', {}],
      ['POST', '/generations/1/switch', { force: 'true' }],
      ['POST', '/generations/rollback', { source: 'projects', generation: 1 }],
      ['POST', '/generations/1/rollback', { source: 'projects' }],
      ['POST', '/generations/1/retire', { force: true }],
      ['GET', '/schedules/statistics?limit=501', undefined],
      ['POST', '/schedules/statistics/run', { now: true }],
      ['POST', '/caches/clear', { cache: 'everything' }],
      ['POST', '/log-levels/reset', { component: 'sync' }],
    ])('%s %s %j is 400', async (method, path, payload) => {
      expectProblem(await send(method, path, payload), 400, 'request.invalid');
    });

    it.each([
      ['GET', '/generations/10', undefined, 'generations.not-found'],
      ['POST', '/reconcile', { source: 'nonsense' }, 'generations.not-found'],
      ['POST', '/reconcile', { generation: 10 }, 'generations.not-found'],
      ['GET', '/certificates/latest?source=nonsense', undefined, 'generations.not-found'],
      ['GET', `/certificates/${ROW_ID}`, undefined, 'sync.certificate-not-found'],
      ['POST', '/generations/rollback', { source: 'nonsense' }, 'generations.not-found'],
      ['GET', '/schedules/nonsense', undefined, 'schedules.not-found'],
      ['POST', '/schedules/nonsense/run', undefined, 'schedules.not-found'],
    ])('%s %s %j is 404', async (method, path, payload, code) => {
      expectProblem(await send(method, path, payload), 404, code);
    });

    it('is 404 when there is no certificate yet', async () => {
      http.admin.certificates.latest.mockResolvedValueOnce(null);
      expectProblem(await send('GET', '/certificates/latest'), 404, 'sync.certificate-not-found');
    });

    it('is 422 for a retired generation, 503 while nothing serves', async () => {
      expectProblem(await send('POST', '/reconcile', { generation: 9 }), 422, 'generations.retired');
      http.admin.generations.list.mockResolvedValueOnce([generationOf(1, { state: 'building' })]);
      expectProblem(await send('POST', '/reconcile', {}), 503, 'search.not-ready');
    });
  });

  describe('what the engine is asked', () => {
    it('lists and requeues dead letters', async () => {
      const reply = await send('GET', '/dead-letters?source=projects&generation=1&code=x&limit=7&cursor=1.a');
      expect(http.admin.deadLetters.list).toHaveBeenCalledWith({ source: 'projects', generationId: 1, code: 'x', limit: 7, after: '1.a' });
      expect(reply.body.next_cursor).toBe('1.next');
      await send('POST', '/dead-letters/requeue', { ids: [ROW_ID.toUpperCase()], generation: 2 });
      expect(http.admin.deadLetters.requeue).toHaveBeenLastCalledWith({ source: undefined, generationId: 2, ids: [ROW_ID] });
      await send('POST', '/dead-letters/requeue', { code: 'x' });
      expect(http.admin.deadLetters.requeue).toHaveBeenLastCalledWith({ source: undefined, generationId: undefined, code: 'x' });
      await send('POST', '/dead-letters/requeue', { all: true, source: 'projects' });
      expect(http.admin.deadLetters.requeue).toHaveBeenLastCalledWith({ source: 'projects', generationId: undefined, all: true });
    });

    it('touches a page of rows', async () => {
      expect(await send('POST', '/sync/touch', undefined)).toMatchObject({ status: 202, body: { touched: 2, next: ROW_ID } });
      expect(http.admin.touch.touch).toHaveBeenLastCalledWith(1, null, 1_000);
      await send('POST', '/sync/touch', { generation: 2, after: ROW_ID, limit: 5 });
      expect(http.admin.touch.touch).toHaveBeenLastCalledWith(2, ROW_ID, 5);
    });

    it('reconciles the serving generation, or the one named', async () => {
      const reply = await send('POST', '/reconcile', { dry_run: true, force: true, budget_ms: 5_000, after: ROW_ID });
      expect([reply.status, reply.headers['location']]).toEqual([202, `${ADMIN}/certificates/${CERTIFICATE_ID}`]);
      const [generation, options] = http.admin.reconciler.start.mock.calls[0] as unknown as [{ id: number }, Json];
      expect(generation.id).toBe(1);
      expect(options).toEqual({ isReadOnly: true, isForced: true, budgetMs: 5_000, sampleSize: undefined, after: ROW_ID });
      await send('POST', '/reconcile', { generation: 3 });
      expect((http.admin.reconciler.start.mock.calls[1] as unknown as [{ id: number }])[0].id).toBe(3);
    });

    it('needs no body where there is nothing to say', async () => {
      for (const path of [
        '/reconcile',
        '/generations/rollback',
        '/generations/2/gate',
        '/generations/2/switch',
        '/schedules/statistics/run',
      ]) {
        expect((await send('POST', path)).status).toBeLessThan(300);
      }
      expect(http.admin.generations.rollback).toHaveBeenCalledWith({ source: 'projects' });
      expect(http.admin.generations.switchTo).toHaveBeenCalledWith(2, { isForced: false });
    });

    it('pages through certificates, and hands one out as a file', async () => {
      const page = await send('GET', '/certificates?generation=1&limit=2');
      expect(http.admin.certificates.list).toHaveBeenCalledWith({ source: undefined, generationId: 1, limit: 3, before: undefined });
      expect([page.body.items.length, page.body.next_cursor]).toEqual([2, CERTIFICATE_ID]);
      expect((await send('GET', '/certificates?limit=5')).body.next_cursor).toBeNull();
      const file = await send('GET', `/certificates/${CERTIFICATE_ID}?download=true`);
      expect(file.headers['content-disposition']).toBe(`attachment; filename="certificate-${CERTIFICATE_ID}.json"`);
      expect((await send('GET', `/certificates/${CERTIFICATE_ID}`)).headers['content-disposition']).toBeUndefined();
    });

    it('plans, creates, gates, switches, rolls back and retires', async () => {
      const embedder = { max_tokens: 64, query_prefix: '', document_prefix: 'passage: ' };
      const plan = await send('POST', '/generations', { source: 'projects', dry_run: true, embedder });
      expect([plan.status, plan.body.rows_to_embed]).toEqual([200, 2]);
      expect(http.admin.generations.plan).toHaveBeenCalledWith('projects', embedder);
      expect(http.admin.generations.create).not.toHaveBeenCalled();
      const created = await send('POST', '/generations', { source: 'projects', embedder, reason: 'shorter' });
      expect([created.status, created.headers['location'], created.body.state]).toEqual([201, `${ADMIN}/generations/2`, 'building']);
      expect(http.admin.generations.create).toHaveBeenCalledWith('projects', embedder, 'shorter', undefined);
      const gate = await send('POST', '/generations/2/gate', { force: true });
      expect([gate.status, gate.headers['location'], gate.body.status]).toEqual([202, `${ADMIN}/generations/2`, 'running']);
      expect(http.admin.generations.startGate).toHaveBeenCalledWith(2, { isForced: true });
      await send('POST', '/generations/2/switch', { force: true });
      expect(http.admin.generations.switchTo).toHaveBeenCalledWith(2, { isForced: true });
      await send('POST', '/generations/1/rollback');
      expect(http.admin.generations.rollback).toHaveBeenLastCalledWith(1);
      await send('POST', '/generations/rollback', { generation: 3 });
      expect(http.admin.generations.rollback).toHaveBeenLastCalledWith(3);
      expect((await send('POST', '/generations/2/retire')).body.state).toBe('retired');
      await send('GET', '/generations?include_retired=true');
      expect(http.admin.generations.list).toHaveBeenLastCalledWith({ includeRetired: true });
    });

    it('shows and runs schedules', async () => {
      const [statistics, reconcile] = (await send('GET', '/schedules')).body.items;
      expect(statistics).toMatchObject({
        name: 'statistics',
        next_due_at: AT.toISOString(),
        last_run: { outcome: 'done' },
        last_result: null,
      });
      expect(reconcile).toEqual({ name: 'reconcile', expression: null, next_due_at: null, last_run: null, last_result: null });
      const run = await send('POST', '/schedules/statistics/run');
      expect([run.status, run.headers['location'], run.body]).toEqual([
        202,
        `${ADMIN}/schedules/statistics`,
        { schedule: 'statistics', due_at: AT.toISOString() },
      ]);
      await send('GET', '/schedules/statistics?limit=3');
      expect(http.admin.schedules.history).toHaveBeenCalledWith('statistics', 3);
    });

    it('writes names as the API does, and leaves data as they are', async () => {
      const { body } = await send('GET', '/sync/status');
      expect(body.relay.counts).toEqual({ leases_expired: 7 });
      expect(body.generations[0].dead_by_code).toEqual({ 'store.aB': 3 });
      expect(body.search).toEqual({ breaker: null, replicas: [], counters: null });
    });
  });
});

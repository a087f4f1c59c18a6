import { DatabaseConfig, EmbeddingConfig, loadConfig, VectorStoreConfig } from '#config';
import { DatabaseLifecycle } from '#database';
import { EmbedderRegistry, type EmbeddingServiceState } from '#embeddings';
import { HealthHttpModule, HealthMonitor } from '#health';
import { Clock, DomainError } from '#kernel';
import { IndexDirectory, IndexRelay, IndexSourceRegistry, SyncReadiness } from '#sync';
import { AccessHook, ANONYMOUS, LimitsHook, grantedBy, type Caller } from '#security';
import { FixedClock } from '#testing';
import { SearchStore, VectorStore, VectorStoreError, type SearchStoreStatus } from '#vector-store';
import { Global, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyRequest } from 'fastify';
import { configureHttp } from '../src/http/configure-http.js';
import { createFastifyAdapter } from '../src/http/fastify-adapter.js';

const COUNTS = { synced: 1, skipped: 0, deleted: 0, purged: 0, superseded: 0, dead: 0 };

/** Doubles of the dependencies: each look is answered by what `answer` gives at that moment, and counted. */
class DependencyDouble {
  looks = 0;
  readonly source = 'local' as const;
  answer: () => Promise<unknown> = () => Promise.resolve(1);

  info = () => Promise.resolve<object | null>({ pointsCount: 7, dimensions: 384 });

  ping(): Promise<unknown> {
    this.looks++;
    return this.answer();
  }
}

describe('health', () => {
  const config = loadConfig({
    QDRANT_URL: 'https://qdrant.example:6334',
    DATABASE_URL: 'postgres://user:hidden-password@db.example/kindred?sslmode=require',
    EMBEDDING_PROVIDER: 'openai',
    OPENAI_BASE_URL: 'http://embeddings.example:8080/v1',
  });
  let database: DependencyDouble;
  let store: DependencyDouble;
  let readiness: SyncReadiness;
  let clock: FixedClock;
  let app: NestFastifyApplication;
  let monitor: HealthMonitor;
  let searches: SearchStoreStatus;
  let embeddingService: EmbeddingServiceState;
  let pending: number;
  let caller: Caller | undefined;
  let serving: () => Promise<{ collection: string }>;

  beforeEach(async () => {
    searches = { breaker: null, replicas: [] };
    embeddingService = 'not_configured';
    pending = 0;
    caller = undefined;
    serving = () => Promise.resolve({ collection: 'kindred_projects_g1_abcdef' });
    [database, store, readiness, clock] = [new DependencyDouble(), new DependencyDouble(), new SyncReadiness(), new FixedClock()];
    const providers = [
      { provide: DatabaseLifecycle, useValue: database },
      { provide: VectorStore, useValue: store },
      { provide: SearchStore, useValue: { status: () => searches } },
      { provide: SyncReadiness, useValue: readiness },
      { provide: EmbedderRegistry, useValue: { serviceState: () => embeddingService } },
      { provide: IndexDirectory, useValue: { serving: () => serving(), pendingCount: () => Promise.resolve(pending) } },
      { provide: IndexSourceRegistry, useValue: { all: () => [{ name: 'projects' }] } },
      { provide: IndexRelay, useValue: { status: () => ({ isRunning: true, counts: COUNTS }) } },
      { provide: Clock, useValue: clock },
      { provide: AccessHook, useValue: { check: (request: FastifyRequest) => Promise.resolve(void (request.caller = caller)) } },
      { provide: LimitsHook, useValue: { admit: () => Promise.resolve(), charge: () => Promise.resolve() } },
      { provide: VectorStoreConfig, useValue: config.vectorStore },
      { provide: DatabaseConfig, useValue: config.database },
      { provide: EmbeddingConfig, useValue: config.embedding },
    ];
    @Global()
    @Module({ providers, exports: providers.map(({ provide }) => provide) })
    class Surroundings {}
    const module = await Test.createTestingModule({ imports: [Surroundings, HealthHttpModule] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(createFastifyAdapter(), { logger: false });
    await configureHttp(app);
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
    monitor = app.get(HealthMonitor);
    await monitor.refreshAnew();
  });

  afterEach(() => app.close());

  const get = async (path: string) => {
    const reply = await app.inject({ method: 'GET', url: path });
    return { status: reply.statusCode, type: reply.headers['content-type'], body: reply.json() };
  };

  it('is live before anything else is, and asks nobody for it', async () => {
    database.answer = store.answer = () => Promise.reject(new Error('down'));
    await monitor.refreshAnew();
    const looks = database.looks + store.looks;
    expect(await get('/health/live')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(database.looks + store.looks).toBe(looks);
  });

  it('is neither started nor ready until the start is over, and says what it waits for', async () => {
    expect(await get('/health/startup')).toMatchObject({ status: 503, body: { status: 'error', startup: 'waiting for the database' } });
    readiness.advance('loading the model');
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { status: 'error', startup: 'loading the model' } });
    readiness.advance('ready');
    expect(await get('/health/startup')).toMatchObject({ status: 200, body: { status: 'ok', startup: 'ready' } });
    expect(await get('/health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('is healthy with both dependencies up, in the shape of Terminus and of the services map', async () => {
    readiness.advance('ready');
    const { status, body } = await get('/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      info: { database: { status: 'up', response_time_ms: 0 }, vector_db: { status: 'up', store_type: 'local' } },
      error: {},
      services: { database: 'healthy', vector_db: 'healthy', openai_api: 'not_configured' },
    });
  });

  it.each(['healthy', 'degraded', 'unhealthy'] as const)('says that the service which embeds is %s, and stays ready', async (state) => {
    readiness.advance('ready');
    embeddingService = state;
    expect(await get('/health')).toMatchObject({ status: 200, body: { status: 'ok', services: { openai_api: state } } });
    expect((await get('/health/ready')).status).toBe(200);
  });

  it('stays ready and 200 without the index, degraded', async () => {
    readiness.advance('ready');
    store.answer = () => Promise.reject(new VectorStoreError('unavailable', 'http://secret-host:6333 refused'));
    await monitor.refreshAnew();
    const health = await get('/health');
    expect(health).toMatchObject({
      status: 200,
      body: { status: 'degraded', services: { vector_db: 'unhealthy' }, details: { vector_db: { reason: 'unavailable' } } },
    });
    expect(JSON.stringify(health.body)).not.toContain('secret-host');
    expect((await get('/health/ready')).status).toBe(200);
    expect((await get('/health/startup')).status).toBe(200);
  });

  it.each([
    [[], 'none'],
    [['ready'], 'ready'],
    [['ready', 'building'], 'building'],
    [['too-large', 'ready'], 'too-large'],
  ] as const)('says what answers searches while a remote index is away (%j)', async (states, copy) => {
    readiness.advance('ready');
    expect((await get('/health')).body.details.vector_db).not.toHaveProperty('fallback');
    searches = { breaker: 'open', replicas: states.map((state, n) => ({ collection: `c${n}`, state, ageSeconds: null })) };
    expect((await get('/health')).body.details.vector_db).toMatchObject({ fallback: { breaker: 'open', copy } });
  });

  it('shows the latency of an index that is slow', async () => {
    readiness.advance('ready');
    store.answer = async () => clock.advance(400);
    await monitor.refreshAnew();
    expect(await get('/health')).toMatchObject({
      status: 200,
      body: { status: 'degraded', services: { vector_db: 'degraded' }, details: { vector_db: { response_time_ms: 400 } } },
    });
  });

  it('is not ready and 503 without PostgreSQL, with its own body, and live and started all the same', async () => {
    readiness.advance('ready');
    database.answer = () => Promise.reject(new DomainError('database.unavailable'));
    await monitor.refreshAnew();
    expect(await get('/health')).toMatchObject({
      status: 503,
      type: expect.stringContaining('application/json'),
      body: {
        status: 'error',
        services: { database: 'unhealthy' },
        error: { database: { status: 'down', reason: 'database.unavailable' } },
      },
    });
    expect((await get('/health/ready')).status).toBe(503);
    expect((await get('/health/startup')).status).toBe(200);
    expect((await get('/health/live')).status).toBe(200);
    database.answer = () => Promise.resolve(1);
    await monitor.refreshAnew();
    expect((await get('/health/ready')).status).toBe(200);
  });

  it('answers from the last look, however many ask, and while a dependency hangs', async () => {
    readiness.advance('ready');
    store.answer = database.answer = () => new Promise(() => undefined);
    void monitor.refresh();
    const looks = database.looks + store.looks;
    const replies = await Promise.all(Array.from({ length: 50 }, () => get('/health')));
    expect(replies.every(({ status }) => status === 200)).toBe(true);
    expect(database.looks + store.looks).toBe(looks);
  });

  it('sends no more requests here while draining', async () => {
    readiness.advance('ready');
    monitor.beforeApplicationShutdown();
    expect(await get('/health/ready')).toMatchObject({ status: 503, body: { status: 'shutting_down' } });
  });

  it('answers the probes by the names of Kubernetes as well', async () => {
    expect(await get('/livez')).toEqual(await get('/health/live'));
    expect(await get('/readyz')).toEqual(await get('/health/ready'));
    expect(await get('/startupz')).toMatchObject({ status: 503, body: { status: 'error' } });
    readiness.advance('ready');
    expect(await get('/readyz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await get('/startupz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  it('tells whoever may see it where the dependencies are, and what runs', async () => {
    caller = ANONYMOUS;
    const detailed = (await get('/health/detailed')).body;
    expect(detailed.versions).toEqual({ node: process.version, vector_store: null });
    expect(detailed.vector_store.server).toMatchObject({ host: 'qdrant.example', port: 6334 });
    const { body } = await get('/diagnostics');
    expect(body.services).toMatchObject({
      database: { url: 'postgres://db.example/kindred' },
      qdrant: { url: 'https://qdrant.example:6334' },
      openai: { url: 'http://embeddings.example:8080/v1' },
    });
    expect(JSON.stringify([detailed, body])).not.toContain('hidden-password');
  });

  it('tells a key without the scope no more than nobody', async () => {
    caller = { ...ANONYMOUS, scopes: grantedBy(['read', 'write']) };
    const replies = [await get('/health/detailed'), await get('/health/qdrant'), await get('/diagnostics')];
    expect(JSON.stringify(replies)).not.toContain('.example');
    expect(replies[0]!.body.versions).toBeNull();
  });

  it('tells everything in detail, and hides hosts', async () => {
    readiness.advance('ready');
    store.answer = () => Promise.resolve({ source: 'local', version: null, collectionsCount: 3 });
    pending = 4;
    await monitor.refreshAnew();
    const { status, body } = await get('/health/detailed');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      services: { database: 'healthy' },
      startup: 'ready',
      relay: { state: 'working', pending: 4, seconds_without_progress: 0 },
      event_loop: { is_stalled: false },
      memory_mib: expect.any(Number),
      vector_store: { status: 'healthy', server: { host: null, port: null } },
    });
  });

  it('is degraded in detail, and only there, while a relay gets on with nothing', async () => {
    readiness.advance('ready');
    pending = 4;
    await monitor.refreshAnew();
    clock.advance(60_000);
    await monitor.refreshAnew();
    expect(await get('/health/detailed')).toMatchObject({
      status: 200,
      body: { status: 'degraded', relay: { state: 'stalled', pending: 4, seconds_without_progress: 60 } },
    });
    expect((await get('/health')).body.status).toBe('ok');
  });

  it.each(['/health/vector-store', '/health/qdrant'])('tells of the index alone (%s)', async (path) => {
    store.answer = () => Promise.resolve({ source: 'local', version: null, collectionsCount: 3 });
    await monitor.refreshAnew();
    const collection = {
      source: 'projects',
      name: 'kindred_projects_g1_abcdef',
      exists: true,
      stats: { total_points: 7, vector_dimension: 384, distance_metric: 'Cosine' },
    };
    expect(await get(path)).toMatchObject({
      status: 200,
      body: {
        status: 'healthy',
        timestamp: expect.any(String),
        store_type: 'local',
        server: { host: null, port: null, response_time_ms: 0, collections_count: 3 },
        collection,
        collections: [collection],
      },
    });
    store.info = () => Promise.resolve(null);
    await monitor.refreshAnew();
    expect((await get(path)).body.collection).toMatchObject({ exists: false, stats: null });
    serving = () => Promise.reject(new DomainError('search.not-ready'));
    await monitor.refreshAnew();
    expect((await get(path)).body.collection).toMatchObject({ name: null, exists: false });
    store.answer = () => Promise.reject(new VectorStoreError('unavailable', 'http://secret-host:6333 refused'));
    store.info = () => Promise.reject(new VectorStoreError('unavailable', 'http://secret-host:6333 refused'));
    serving = () => Promise.resolve({ collection: 'kindred_projects_g1_abcdef' });
    await monitor.refreshAnew();
    expect(await get(path)).toMatchObject({ status: 503, body: { status: 'unhealthy', collection: null, collections: [] } });
  });

  it('says in a word whether the index can be searched, and what is connected', async () => {
    expect(await get('/api/status')).toMatchObject({ status: 200, body: { qdrant_available: true, message: 'Full service' } });
    store.answer = () => Promise.reject(new VectorStoreError('unavailable', 'http://secret-host:6333 refused'));
    await monitor.refreshAnew();
    expect(await get('/api/status')).toMatchObject({ status: 200, body: { qdrant_available: false, message: 'Limited mode' } });
    expect(await get('/diagnostics')).toMatchObject({
      status: 200,
      body: {
        services: {
          database: { connected: true, url: null },
          qdrant: { connected: false, url: null, store_type: 'local' },
          openai: { connected: false, url: null },
        },
      },
    });
  });

  it('answers with a slash at the end, too', async () => {
    for (const path of ['/health/', '/health/live/', '/livez/', '/health/detailed/', '/health/qdrant/', '/api/status/', '/diagnostics/'])
      expect([path, (await get(path)).status]).toEqual([path, 200]);
  });
});

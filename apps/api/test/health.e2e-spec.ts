import { DatabaseLifecycle } from '#database';
import { EmbedderRegistry, type EmbeddingServiceState } from '#embeddings';
import { HealthHttpModule, HealthMonitor } from '#health';
import { Clock, DomainError } from '#kernel';
import { SyncReadiness } from '#sync';
import { FixedClock } from '#testing';
import { SearchStore, VectorStore, VectorStoreError, type SearchStoreStatus } from '#vector-store';
import { Global, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { configureHttp } from '../src/http/configure-http.js';
import { createFastifyAdapter } from '../src/http/fastify-adapter.js';

/** Doubles of the dependencies: each look is answered by what `answer` gives at that moment, and counted. */
class DependencyDouble {
  looks = 0;
  readonly source = 'local' as const;
  answer: () => Promise<unknown> = () => Promise.resolve(1);

  ping(): Promise<unknown> {
    this.looks++;
    return this.answer();
  }
}

describe('health', () => {
  let database: DependencyDouble;
  let store: DependencyDouble;
  let readiness: SyncReadiness;
  let clock: FixedClock;
  let app: NestFastifyApplication;
  let monitor: HealthMonitor;
  let searches: SearchStoreStatus;
  let embeddingService: EmbeddingServiceState;

  beforeEach(async () => {
    searches = { breaker: null, replicas: [] };
    embeddingService = 'not_configured';
    [database, store, readiness, clock] = [new DependencyDouble(), new DependencyDouble(), new SyncReadiness(), new FixedClock()];
    const providers = [
      { provide: DatabaseLifecycle, useValue: database },
      { provide: VectorStore, useValue: store },
      { provide: SearchStore, useValue: { status: () => searches } },
      { provide: SyncReadiness, useValue: readiness },
      { provide: EmbedderRegistry, useValue: { serviceState: () => embeddingService } },
      { provide: Clock, useValue: clock },
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

  it('answers with a slash at the end, too', async () => {
    expect((await get('/health/')).status).toBe(200);
    expect((await get('/health/live/')).status).toBe(200);
  });
});

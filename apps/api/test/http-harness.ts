/// <reference types="jest" />
import { AdminHttpModule } from '#admin';
import { ANSWERS_ENTITIES, AnswersHttpModule } from '#answers';
import { ConfigModule, loadConfig } from '#config';
import { RelayUnitOfWork, UnitOfWork } from '#database';
import { DOCUMENT_ENTITIES, DocumentsHttpModule } from '#documents';
import { ErasureHttpModule, ErasureModule } from '#erasure';
import { IdempotencyModule } from '#idempotency';
import { EmbedderRegistry } from '#embeddings';
import { ImportRunner, INGESTION_ENTITIES, IngestionHttpModule, JobQueue } from '#ingestion';
import { Clock, IdGenerator, SystemClock, SystemIdGenerator } from '#kernel';
import { LogLevels } from '#observability';
import { PROJECT_ENTITIES, ProjectsHttpModule, type Project } from '#projects';
import { SecurityHttpModule } from '#security';
import { SimilarityHttpModule } from '#similarity';
import { IndexDirectory, IndexSourceRegistry, SyncReadiness } from '#sync';
import {
  createTestDatabase,
  FakeEmbedder,
  FakeEmbedderRegistry,
  FakeIndexDirectory,
  FakeJobQueue,
  FakeVectorStore,
  type TestDatabase,
} from '#testing';
import { DirectSearchStore, SearchStore, VectorStore } from '#vector-store';
import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configureHttp } from '../src/http/configure-http.js';
import { createFastifyAdapter } from '../src/http/fastify-adapter.js';
import type { KindredFastifyAdapter } from '../src/http/kindred-fastify.adapter.js';
import { AdminDoubles } from './admin-doubles.js';

type InjectOptions = Exclude<Parameters<NestFastifyApplication['inject']>[0], string | undefined>;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look at replies and assert their shape
export type Json = any;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** The parsed body; `undefined` when there is none. */
  readonly body: Json;
}

export interface HttpHarness {
  readonly app: NestFastifyApplication;
  readonly adapter: KindredFastifyAdapter;
  readonly database: TestDatabase;
  readonly embedder: FakeEmbedder;
  readonly store: FakeVectorStore;
  readonly directory: FakeIndexDirectory;
  readonly admin: AdminDoubles;
  readonly jobs: FakeJobQueue;
  /** Sends a request through the whole HTTP stack, without a socket. An object as `payload` becomes JSON. */
  send(method: string, url: string, options?: Omit<InjectOptions, 'method' | 'url'>): Promise<Reply>;
  /** Creates a project over HTTP. */
  create(fields?: Record<string, unknown>): Promise<Project>;
  /** Runs every job that waits. */
  runJobs(): Promise<void>;
  /** Makes the index equal to the rows. */
  index(): Promise<void>;
  close(): Promise<void>;
}

export const PROJECT_BODY = { name: 'Oak kitchen', description: 'Fitted kitchen in oak with an island' };

export interface HttpOptions {
  /** What features search with. Default: the store, directly. */
  readonly makeSearches?: (store: FakeVectorStore) => SearchStore;
  /** The address at which the pools find the database. Default: its own. */
  readonly databaseUrlOf?: (url: string) => Promise<string>;
  /** Beside those of the features. */
  readonly modules?: readonly DynamicModule[];
}

/** The HTTP stack of the api on a real database, with doubles for model, vector store and engine. */
export async function startHttp(
  environment: Record<string, string> = {},
  { makeSearches = (store) => new DirectSearchStore(store), databaseUrlOf, modules = [] }: HttpOptions = {},
): Promise<HttpHarness> {
  const database = await createTestDatabase({
    entities: [...PROJECT_ENTITIES, ...DOCUMENT_ENTITIES, ...INGESTION_ENTITIES, ...ANSWERS_ENTITIES],
    urlOf: databaseUrlOf,
  });
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-http-'));
  const embedder = new FakeEmbedder({ dimensions: 2048 });
  const store = new FakeVectorStore();
  const directory = new FakeIndexDirectory({ store, embedder });
  const admin = new AdminDoubles();
  const jobs = new FakeJobQueue();
  const providers: Provider[] = [
    { provide: UnitOfWork, useValue: database.unitOfWork },
    { provide: RelayUnitOfWork, useValue: database.unitOfWork },
    { provide: VectorStore, useValue: store },
    { provide: SearchStore, useValue: makeSearches(store) },
    { provide: IndexDirectory, useValue: directory },
    IndexSourceRegistry,
    // Never ready: nothing happens behind the back of a test.
    SyncReadiness,
    { provide: Clock, useClass: SystemClock },
    { provide: IdGenerator, useClass: SystemIdGenerator },
    LogLevels,
    { provide: EmbedderRegistry, useValue: new FakeEmbedderRegistry() },
    ...admin.providers(),
  ];
  const config = loadConfig({ DATA_DIR: dataDir, ...environment });
  const module = await Test.createTestingModule({
    imports: [
      ConfigModule.forRoot(config),
      environmentModule(providers),
      ErasureModule.forRoot({ isWorker: false, answersSearches: false }),
      ErasureHttpModule,
      IdempotencyModule,
      SecurityHttpModule,
      ProjectsHttpModule,
      SimilarityHttpModule,
      DocumentsHttpModule,
      AnswersHttpModule,
      IngestionHttpModule,
      AdminHttpModule,
      ...modules,
    ],
  })
    .overrideProvider(JobQueue)
    .useValue(jobs)
    .compile();
  const adapter = createFastifyAdapter(config.security);
  const app = module.createNestApplication<NestFastifyApplication>(adapter, { logger: false });
  await configureHttp(app);
  await app.init();
  await adapter.getInstance().ready();

  const send: HttpHarness['send'] = async (method, url, options = {}) => {
    const reply = await app.inject({ method: method as 'GET', url, ...options });
    const isJson = /^application\/(problem\+)?json/.test(String(reply.headers['content-type'])) && reply.payload !== '';
    return {
      status: reply.statusCode,
      headers: reply.headers as Record<string, string>,
      text: reply.payload,
      body: isJson ? reply.json() : undefined,
    };
  };
  const index = async () => directory.indexAll(app.get(IndexSourceRegistry).get('projects'), database.unitOfWork);
  await index();
  return {
    app,
    adapter,
    database,
    embedder,
    store,
    directory,
    admin,
    jobs,
    runJobs: () => jobs.runAll((jobId, signal) => app.get(ImportRunner).run(jobId, signal)),
    send,
    index,
    async create(fields = {}) {
      const { status, body } = await send('POST', '/api/v1/projects', { payload: { ...PROJECT_BODY, ...fields } });
      expect(status).toBe(201);
      return body as Project;
    },
    async close() {
      await app.close();
      await database.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function environmentModule(providers: Provider[]) {
  @Global()
  @Module({ providers, exports: providers })
  class EnvironmentModule {}
  return EnvironmentModule;
}

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '#config';
import { FatalStartupError } from '#kernel';
import { FakeEmbeddingServer } from '#testing';
import { ConfiguredEmbedderRegistry } from './configured-embedder-registry.js';
import { EmbedderRegistry } from './embedder-registry.js';
import { EmbeddingsModule } from './embeddings.module.js';
import { bundledModelsFolder } from './bundled-files.js';

const UNAVAILABLE = { code: 'search.embedder-unavailable' };

const registryFor = (environment: Record<string, string> = {}) =>
  new ConfiguredEmbedderRegistry(loadConfig({ EMBEDDING_WORKERS: '1', ...environment }).embedding);

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}

describe('ConfiguredEmbedderRegistry', () => {
  let registry: ConfiguredEmbedderRegistry;
  let models: string;

  beforeEach(async () => {
    models = await mkdtemp(join(tmpdir(), 'kindred-models-'));
  });

  afterEach(async () => {
    await registry.close();
    await rm(models, { recursive: true, force: true });
  });

  it('describes the bundled model with the configured limits and prefixes', async () => {
    registry = registryFor({ EMBEDDING_MAX_TOKENS: '128', EMBEDDING_QUERY_PREFIX: 'query: ', EMBEDDING_DOCUMENT_PREFIX: 'passage: ' });
    await expect(registry.describeConfigured()).resolves.toEqual({
      provider: 'local',
      model: 'all-MiniLM-L6-v2',
      revision: 'cc84cb5f2ccd',
      dtype: 'q8',
      dimensions: 384,
      pooling: 'mean',
      query_prefix: 'query: ',
      document_prefix: 'passage: ',
      max_tokens: 128,
    });
  });

  it('describes what an operator chooses on top of what is configured', async () => {
    registry = registryFor({ EMBEDDING_MAX_TOKENS: '128', EMBEDDING_QUERY_PREFIX: 'query: ' });
    const configured = await registry.describeConfigured();
    await expect(registry.describe({ max_tokens: 64, document_prefix: 'passage: ' })).resolves.toEqual({
      ...configured,
      max_tokens: 64,
      document_prefix: 'passage: ',
    });
    const names = [{ model: 'unheard' }, { model: '../all-MiniLM-L6-v2' }];
    for (const overrides of [...names, { dtype: 'fp32' as const }, { max_tokens: 100_000 }, { dimensions: 128 }]) {
      await expect(registry.describe(overrides)).rejects.toBeInstanceOf(FatalStartupError);
    }
    await expect(registry.describe({ dimensions: 384 })).resolves.toEqual(configured);
  });

  it('releases an embedder: it is closed, and built anew when it is needed again', async () => {
    registry = registryFor();
    const descriptor = await registry.describeConfigured();
    const first = registry.get(descriptor);
    await registry.release(first.modelRev);
    await registry.release('unheard');
    await expect(first.embedQuery('late')).rejects.toMatchObject(UNAVAILABLE);
    const second = registry.get(descriptor);
    expect(second).not.toBe(first);
    await expect(second.embedQuery('oak stair')).resolves.toMatchObject({ isTruncated: false });
  });

  it('builds one embedder for each descriptor, whatever is configured now', async () => {
    registry = registryFor();
    const descriptor = await registry.describeConfigured();
    const older = { ...descriptor, max_tokens: 64, query_prefix: 'q: ' };
    expect(registry.get({ ...descriptor })).toBe(registry.get(descriptor));
    expect(registry.get(older)).not.toBe(registry.get(descriptor));
    expect(registry.get(older).maxTokens).toBe(64);
  });

  it('refuses a descriptor of other weights than the folder has', async () => {
    registry = registryFor();
    const descriptor = await registry.describeConfigured();
    expect(caught(() => registry.get({ ...descriptor, revision: '000000000000' }))).toMatchObject({
      ...UNAVAILABLE,
      detail: expect.stringContaining('other weights (cc84cb5f2ccd)'),
    });
    expect(caught(() => registry.get({ ...descriptor, dimensions: 768 }))).toMatchObject(UNAVAILABLE);
  });

  it('refuses a model that is not there, and a name that leaves the folder', async () => {
    registry = registryFor();
    const descriptor = await registry.describeConfigured();
    for (const model of ['unknown', '../models/all-MiniLM-L6-v2', '..', '', 'a/b/c', '../a', 'a/..', '/tmp']) {
      expect(caught(() => registry.get({ ...descriptor, model }))).toMatchObject({ ...UNAVAILABLE, cause: expect.any(Error) });
    }
  });

  it('looks in EMBEDDING_MODEL_DIR first when that is set, and fails at the start when the model is nowhere', async () => {
    registry = registryFor({ EMBEDDING_MODEL_DIR: models, EMBEDDING_MODEL: 'unheard' });
    await expect(registry.describeConfigured()).rejects.toThrow(`${join(models, 'unheard')} does not exist`);
    registry = registryFor({ EMBEDDING_MODEL_DIR: models });
    await cp(join(bundledModelsFolder(), 'all-MiniLM-L6-v2'), join(models, 'all-MiniLM-L6-v2'), { recursive: true });
    const descriptor = await registry.describeConfigured();
    await writeFile(join(models, 'all-MiniLM-L6-v2', 'tokenizer.json'), '{}');
    await expect(registry.get(descriptor).ready()).rejects.toThrow('tokenizer.json is damaged');
  });

  it('closes what it built, and builds nothing afterwards', async () => {
    registry = registryFor();
    const descriptor = await registry.describeConfigured();
    const embedder = registry.get(descriptor);
    await registry.close();
    await expect(embedder.embedQuery('oak')).rejects.toMatchObject(UNAVAILABLE);
    expect(caught(() => registry.get(descriptor))).toMatchObject(UNAVAILABLE);
  });
});

describe('ConfiguredEmbedderRegistry with a service', () => {
  const KEY = 'sk-canary-7f3a';
  let server: FakeEmbeddingServer;
  let registry: ConfiguredEmbedderRegistry;

  const serviceFor = (environment: Record<string, string> = {}) => {
    registry = registryFor({
      EMBEDDING_PROVIDER: 'openai',
      OPENAI_BASE_URL: `${server.baseUrl}/`,
      OPENAI_API_KEY: KEY,
      OPENAI_EMBEDDING_MODEL: 'text-embedding-3-large',
      ...environment,
    });
    return registry;
  };

  beforeAll(async () => {
    server = await FakeEmbeddingServer.start({ apiKey: KEY });
  });
  beforeEach(() => (server.requests.length = 0));
  afterEach(async () => {
    server.behave(null);
    await registry.close();
  });
  afterAll(async () => server.close());

  it('describes the model of the service without asking it', async () => {
    const host = new URL(server.baseUrl).host;
    await expect(serviceFor({ EMBEDDING_QUERY_PREFIX: 'q: ' }).describeConfigured()).resolves.toEqual({
      provider: 'openai',
      model: 'text-embedding-3-large',
      revision: host,
      dtype: 'fp32',
      dimensions: 3072,
      pooling: 'provider',
      query_prefix: 'q: ',
      document_prefix: '',
      max_tokens: 8191,
    });
    await expect(serviceFor({ OPENAI_EMBEDDING_REVISION: 'ours' }).describeConfigured()).resolves.toMatchObject({ revision: 'ours' });
    expect(server.requests).toHaveLength(0);
  });

  it.each([
    [{}, {}, 3072],
    [{ OPENAI_EMBEDDING_DIMENSIONS: '256' }, {}, 256],
    [{ OPENAI_EMBEDDING_DIMENSIONS: '256' }, { dimensions: 512 }, 512],
    [{ OPENAI_EMBEDDING_DIMENSIONS: '256' }, { model: 'text-embedding-ada-002' }, 1536],
    [{ OPENAI_EMBEDDING_MODEL: 'ours', OPENAI_EMBEDDING_DIMENSIONS: '1024' }, {}, 1024],
    [{}, { model: 'ours', dimensions: 384 }, 384],
  ])(
    'gives the dimensions that are configured (%j), chosen (%j), or those of the model: %d',
    async (environment, overrides, dimensions) => {
      await expect(serviceFor(environment).describe(overrides)).resolves.toMatchObject({ dimensions });
    },
  );

  it.each([
    [{}, { model: 'ours' }, 'set OPENAI_EMBEDDING_DIMENSIONS'],
    [{ OPENAI_EMBEDDING_MODEL: 'ours' }, {}, 'set OPENAI_EMBEDDING_DIMENSIONS'],
    [{}, { dimensions: 3073 }, 'has 3072 dimensions and cannot give 3073'],
    [{}, { model: 'text-embedding-ada-002', dimensions: 512 }, 'has 1536 dimensions and cannot give 512'],
    [{}, { dtype: 'q8' as const }, 'precision'],
  ])('refuses what cannot be: %j, %j', async (environment, overrides, why) => {
    const described = serviceFor(environment).describe(overrides);
    await expect(described).rejects.toBeInstanceOf(FatalStartupError);
    await expect(described).rejects.toThrow(why);
  });

  it('asks for dimensions only where the model has more', async () => {
    const whole = await serviceFor().describeConfigured();
    const [embedding] = await registry.get(whole).embedDocuments(['oak']);
    const [shorter] = await registry.get({ ...whole, dimensions: 256 }).embedDocuments(['oak']);
    expect([embedding!.vector.length, shorter!.vector.length]).toEqual([3072, 256]);
    expect(server.requests.map(({ body }) => body.dimensions)).toEqual([undefined, 256]);
  });

  it('proves a service that works, with one text and the prefix of documents', async () => {
    const descriptor = await serviceFor({ EMBEDDING_DOCUMENT_PREFIX: 'passage: ' }).describeConfigured();
    await expect(registry.prove(descriptor)).resolves.toBeUndefined();
    expect(server.texts).toEqual(['passage: ready?']);
  });

  it.each([
    ['a key that is not taken', { OPENAI_API_KEY: 'sk-wrong-canary-7f3a' }, '401 (invalid_api_key)'],
    ['a model that it does not have', { OPENAI_EMBEDDING_MODEL: 'text-embedding-3-small' }, '404 (model_not_found)'],
    ['another path', { OPENAI_BASE_URL: 'BASE/v2' }, '404 (unknown_url)'],
    ['other dimensions', { OPENAI_EMBEDDING_MODEL: 'ours', OPENAI_EMBEDDING_DIMENSIONS: '1024' }, '3072 dimensions instead of 1024'],
  ])('refuses for good, without the key, %s', async (what, environment, why) => {
    const other = what === 'other dimensions' ? await FakeEmbeddingServer.start({ model: 'ours' }) : server;
    const OPENAI_BASE_URL = ((environment as { OPENAI_BASE_URL?: string }).OPENAI_BASE_URL ?? `BASE`).replace('BASE', other.baseUrl);
    const descriptor = await serviceFor({ ...environment, OPENAI_BASE_URL }).describeConfigured();
    const proof = registry.prove(descriptor);
    await expect(proof).rejects.toBeInstanceOf(FatalStartupError);
    await expect(proof).rejects.toThrow(why);
    await expect(proof).rejects.not.toThrow('canary');
    if (other !== server) await other.close();
  });

  it('does not refuse for good a service that is away or throttles', async () => {
    const descriptor = await serviceFor().describeConfigured();
    server.behave({ kind: 'status', status: 429, headers: { 'retry-after': '60' } });
    await expect(registry.prove(descriptor)).rejects.toMatchObject({ ...UNAVAILABLE, headers: { 'Retry-After': '60' } });
    server.behave({ kind: 'cut' });
    await expect(registry.prove(descriptor)).rejects.toMatchObject(UNAVAILABLE);
  });

  it('builds no embedder for an index of another service, unless the operator says that it is the same', async () => {
    const descriptor = { ...(await serviceFor().describeConfigured()), revision: 'api.elsewhere.example' };
    expect(caught(() => registry.get(descriptor))).toMatchObject({
      ...UNAVAILABLE,
      detail: expect.stringContaining('api.elsewhere.example'),
    });
    const moved = serviceFor({ OPENAI_EMBEDDING_REVISION: 'api.elsewhere.example' });
    await expect(moved.get(descriptor).embedDocuments(['oak'])).resolves.toHaveLength(1);
  });

  it('says how the service is, without asking it; the worst of several', async () => {
    const whole = await serviceFor().describeConfigured();
    expect(registry.serviceState()).toBe('healthy');
    const shorter = registry.get({ ...whole, dimensions: 256 });
    await registry.get(whole).embedDocuments(['oak']);
    server.behave({ kind: 'status', status: 429, headers: { 'retry-after': '9' } });
    await expect(shorter.embedDocuments(['oak'])).rejects.toMatchObject(UNAVAILABLE);
    expect(registry.serviceState()).toBe('degraded');
    server.behave({ kind: 'html' });
    await expect(registry.get(whole).embedDocuments(['ash'])).rejects.toMatchObject(UNAVAILABLE);
    expect(registry.serviceState()).toBe('unhealthy');
    await registry.close();
    registry = registryFor();
    expect(registry.serviceState()).toBe('not_configured');
    registry.get({ ...whole, revision: 'api.openai.com' });
    expect(registry.serviceState()).toBe('healthy');
  });

  it('has models of this machine and of the service side by side, whichever is configured', async () => {
    const remote = await serviceFor().describeConfigured();
    const local = await registry.describe({ provider: 'local' });
    expect(local).toMatchObject({ provider: 'local', model: 'all-MiniLM-L6-v2', max_tokens: 256 });
    const vectors = await Promise.all([remote, local].map((descriptor) => registry.get(descriptor).embedQuery('oak stair')));
    expect(vectors.map(({ vector }) => vector.length)).toEqual([3072, 384]);
    const other = registryFor({ OPENAI_BASE_URL: server.baseUrl, OPENAI_API_KEY: KEY });
    await expect(other.describe({ provider: 'openai', model: 'text-embedding-3-large' })).resolves.toEqual(remote);
    expect(other.get(remote).modelRev).toBe(registry.get(remote).modelRev);
    await other.close();
  });
});

describe('EmbeddingsModule', () => {
  it('provides the registry and closes it when the application shuts down', async () => {
    const app = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(loadConfig({ EMBEDDING_WORKERS: '1' })), EmbeddingsModule],
    }).compile();
    const registry = app.get(EmbedderRegistry);
    const descriptor = await registry.describeConfigured();
    await app.close();
    expect(caught(() => registry.get(descriptor))).toMatchObject(UNAVAILABLE);
  });
});

describe('the vendors', () => {
  it('are the tokenizer and the runtime that the pinned transformers.js was made with, one copy of each', async () => {
    const manifest = async (path: string) => JSON.parse(await readFile(join(bundledModelsFolder(), '..', path), 'utf8'));
    const own = await manifest('package.json');
    const transformers = await manifest('node_modules/@xenova/transformers/package.json');
    expect(own.dependencies['onnxruntime-node']).toBe(transformers.dependencies['onnxruntime-node']);
    expect(`^${own.dependencies['@huggingface/tokenizers']}`).toBe(transformers.dependencies['@huggingface/tokenizers']);
    const { packages } = await manifest('package-lock.json');
    const copies = Object.keys(packages).filter((path) => /(^|\/)(onnxruntime-node|@huggingface\/tokenizers)$/.test(path));
    expect(copies.sort()).toEqual(['node_modules/@huggingface/tokenizers', 'node_modules/onnxruntime-node']);
  });
});

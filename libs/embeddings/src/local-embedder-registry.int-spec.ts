import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '#config';
import { FatalStartupError } from '#kernel';
import { EmbedderRegistry } from './embedder-registry.js';
import { EmbeddingsModule } from './embeddings.module.js';
import { LocalEmbedderRegistry } from './local-embedder-registry.js';
import { bundledModelsFolder } from './package-root.js';

const UNAVAILABLE = { code: 'search.embedder-unavailable' };

const registryFor = (environment: Record<string, string> = {}) =>
  new LocalEmbedderRegistry(loadConfig({ EMBEDDING_WORKERS: '1', ...environment }).embedding);

function caught(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}

describe('LocalEmbedderRegistry', () => {
  let registry: LocalEmbedderRegistry;
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
    for (const overrides of [{ model: 'unheard' }, { model: '../all-MiniLM-L6-v2' }, { dtype: 'fp32' as const }, { max_tokens: 100_000 }]) {
      await expect(registry.describe(overrides)).rejects.toBeInstanceOf(FatalStartupError);
    }
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
    for (const model of ['unknown', '../models/all-MiniLM-L6-v2', '..', '', 'a/b']) {
      expect(caught(() => registry.get({ ...descriptor, model }))).toMatchObject({ ...UNAVAILABLE, cause: expect.any(Error) });
    }
  });

  it('looks in EMBEDDING_MODEL_DIR when that is set, and fails at the start when the model is not there', async () => {
    registry = registryFor({ EMBEDDING_MODEL_DIR: models });
    await expect(registry.describeConfigured()).rejects.toThrow(join(models, 'all-MiniLM-L6-v2', 'SHA256SUMS'));
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

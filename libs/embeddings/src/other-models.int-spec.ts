import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Logger } from '@nestjs/common';
import { loadConfig } from '#config';
import { FatalStartupError } from '#kernel';
import { describeEmbedderContract } from '#testing';
import { bpeTokenizer, unigramTokenizer, writeTinyModel, type TinyModelOptions } from '../test/tiny-model.js';
import { ConfiguredEmbedderRegistry } from './configured-embedder-registry.js';
import { bundledModelsFolder } from './bundled-files.js';

const BUNDLED = join(bundledModelsFolder(), 'all-MiniLM-L6-v2');
const UNAVAILABLE = { code: 'search.embedder-unavailable' };

let models: string;
const registries: ConfiguredEmbedderRegistry[] = [];

const registryFor = (environment: Record<string, string> = {}) => {
  const defaults = { EMBEDDING_WORKERS: '1', EMBEDDING_MODEL_DIR: models, EMBEDDING_MAX_TOKENS: '64', DATA_DIR: join(models, 'data') };
  const registry = new ConfiguredEmbedderRegistry(loadConfig({ ...defaults, ...environment }).embedding);
  registries.push(registry);
  return registry;
};

/** An embedder on a tiny model with that tokenizer; closed by whoever asked for it. */
const embedderOn = async (name: string, tokenizer: object) => {
  await writeTinyModel(join(models, name), { tokenizer, dimensions: 256, config: { max_position_embeddings: 512 } });
  const registry = registryFor({ EMBEDDING_MODEL: name, EMBEDDING_MAX_TOKENS: '512' });
  return registry.get(await registry.describeConfigured());
};

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'kindred-models-'));
  // A thread that dies of a bad model says so in the log.
  Logger.overrideLogger(false);
});
afterAll(async () => {
  Logger.overrideLogger(['error', 'warn', 'log']);
  await Promise.all(registries.map((registry) => registry.close()));
  await rm(models, { recursive: true, force: true });
});

describeEmbedderContract('a model with a Unigram tokenizer', { make: () => embedderOn('unigram', unigramTokenizer()) });
describeEmbedderContract('a model with a byte-level BPE tokenizer', { make: () => embedderOn('bpe', bpeTokenizer()) });

describe('a model of the operator', () => {
  it('needs no list of checksums: its weights are read, and are what tells it apart', async () => {
    const folder = join(models, 'mine');
    await cp(BUNDLED, folder, { recursive: true });
    await rm(join(folder, 'SHA256SUMS'));
    const registry = registryFor({ EMBEDDING_MODEL: 'mine' });
    const descriptor = await registry.describeConfigured();
    expect(descriptor).toMatchObject({ model: 'mine', revision: 'cc84cb5f2ccd', dimensions: 384 });
    await expect(registry.prove(descriptor)).resolves.toBeUndefined();
    const [embedding] = await registry.get(descriptor).embedDocuments(['oak stair']);
    const bundled = await registry.describe({ model: 'all-MiniLM-L6-v2' });
    const [same] = await registry.get(bundled).embedDocuments(['oak stair']);
    expect(embedding).toEqual(same);
  });

  it('is not used for an index that other weights have built, also where only reading them tells', async () => {
    await writeTinyModel(join(models, 'changed'));
    const descriptor = await registryFor({ EMBEDDING_MODEL: 'changed' }).describeConfigured();
    await writeTinyModel(join(models, 'changed'), { vocabularySize: 401 });
    const registry = registryFor();
    await expect(registry.get(descriptor).ready()).rejects.toThrow('has other weights');
    await expect(registry.get(descriptor).embedQuery('oak')).rejects.toMatchObject(UNAVAILABLE);
    await expect(registry.describe({ model: 'changed' })).resolves.not.toMatchObject({ revision: descriptor.revision });
  });

  it('has weights of both files that an export of a large model consists of', async () => {
    await writeTinyModel(join(models, 'large'));
    const registry = registryFor({ EMBEDDING_MODEL: 'large' });
    const alone = await registry.describeConfigured();
    await writeFile(join(models, 'large', 'onnx', 'model_quantized.onnx_data'), 'weights');
    const both = await registry.describeConfigured();
    await writeFile(join(models, 'large', 'onnx', 'model_quantized.onnx_data'), 'other weights');
    const revisions = [alone, both, await registry.describeConfigured()].map(({ revision }) => revision);
    expect(new Set(revisions).size).toBe(3);
  });

  it.each([
    ['an absolute path', (folder: string) => folder],
    ['a relative path', (folder: string) => `./${relative(process.cwd(), folder)}`],
  ])('may be given by %s, and is called by the name of its folder', async (_, pathOf) => {
    const folder = join(models, 'elsewhere', 'by-path');
    await writeTinyModel(folder);
    const registry = registryFor({ EMBEDDING_MODEL: pathOf(folder) });
    const descriptor = await registry.describeConfigured();
    expect(descriptor.model).toBe('by-path');
    await expect(registry.get(descriptor).embedQuery('oak')).resolves.toMatchObject({ tokens: 3 });
    await expect(registry.describe({ model: join(models, 'other') })).rejects.toThrow('is not the name of a model folder');
  });

  it('may be in EMBEDDING_MODEL_DIR under the name that it has on the hub', async () => {
    await writeTinyModel(join(models, 'owner', 'name'));
    await expect(registryFor({ EMBEDDING_MODEL: 'owner/name' }).describeConfigured()).resolves.toMatchObject({ model: 'owner/name' });
  });

  it('stands beside the bundled one: what is not in EMBEDDING_MODEL_DIR is looked for among those that ship with Kindred', async () => {
    await writeTinyModel(join(models, 'beside'));
    const registry = registryFor({ EMBEDDING_MODEL: 'beside' });
    const descriptors = [await registry.describeConfigured(), await registry.describe({ model: 'all-MiniLM-L6-v2' })];
    const embeddings = await Promise.all(descriptors.map((descriptor) => registry.get(descriptor).embedQuery('oak')));
    expect(embeddings.map(({ vector }) => vector.length)).toEqual([4, 384]);
  });

  it('gets the prefixes, which count as tokens', async () => {
    await writeTinyModel(join(models, 'prefixed'));
    const registry = registryFor({ EMBEDDING_MODEL: 'prefixed', EMBEDDING_QUERY_PREFIX: 'door ', EMBEDDING_DOCUMENT_PREFIX: 'ash roof ' });
    const embedder = registry.get(await registry.describeConfigured());
    await expect(embedder.countTokens(['', 'oak'])).resolves.toEqual([4, 5]);
    await expect(embedder.embedQuery('oak')).resolves.toMatchObject({ tokens: 4 });
  });

  const ROBERTA = { model_type: 'xlm-roberta', max_position_embeddings: 66, pad_token_id: 1 };

  it('reads as many tokens as it has positions; RoBERTa counts them from its padding', async () => {
    await writeTinyModel(join(models, 'roberta'), { config: ROBERTA });
    await writeTinyModel(join(models, 'distil'), {
      config: { hidden_size: undefined, dim: 4, max_position_embeddings: undefined, n_positions: 64 },
    });
    for (const name of ['roberta', 'distil']) {
      await expect(registryFor({ EMBEDDING_MODEL: name }).describeConfigured()).resolves.toMatchObject({ max_tokens: 64, dimensions: 4 });
      await expect(registryFor({ EMBEDDING_MODEL: name, EMBEDDING_MAX_TOKENS: '65' }).describeConfigured()).rejects.toThrow(
        'at most 64 tokens',
      );
    }
  });

  it.each<[string, TinyModelOptions, string]>([
    ['another pooling', { pooling: { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false } }, 'another pooling than the mean'],
    ['another pooling, as newer exports say it', { pooling: { pooling_mode: 'lasttoken' } }, 'another pooling than the mean'],
    ['no dimensions', { config: { hidden_size: undefined } }, 'names no hidden_size'],
    ['no positions', { config: { max_position_embeddings: 0 } }, 'names no hidden_size or no max_position_embeddings'],
  ])('is refused when its files say that it cannot be used: %s', async (_, options, why) => {
    await rm(join(models, 'unfit'), { recursive: true, force: true });
    await writeTinyModel(join(models, 'unfit'), options);
    const described = registryFor({ EMBEDDING_MODEL: 'unfit' }).describeConfigured();
    await expect(described).rejects.toBeInstanceOf(FatalStartupError);
    await expect(described).rejects.toThrow(why);
  });

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'onnx/model_quantized.onnx'])(
    'is refused without %s',
    async (file) => {
      await writeTinyModel(join(models, 'partial'));
      await rm(join(models, 'partial', file));
      await expect(registryFor({ EMBEDDING_MODEL: 'partial' }).describeConfigured()).rejects.toThrow(
        `${join(models, 'partial', file)} is missing`,
      );
    },
  );

  it.each<[string, TinyModelOptions, string]>([
    ['an input that is not known', { moreInputs: ['position_ids'] }, 'asks for the input position_ids'],
    ['one vector of the whole text', { output: 'pooled' }, 'no vector of each token to average'],
    ['other dimensions than it says', { config: { hidden_size: 8 } }, '4] instead of [1, 10, 8]'],
    ['float16 vectors', { output: 'half' }, 'float16 instead of float32'],
    ['a tokenizer of an unknown kind', { tokenizer: { model: { type: 'Unheard' } } }, 'cannot be loaded'],
    ['fewer vectors than the tokenizer has tokens', { vocabularySize: 2 }, 'cannot be loaded'],
  ])('is refused when it is tried and has %s', async (what, options, why) => {
    const name = `tried-${what.replaceAll(' ', '-')}`;
    await writeTinyModel(join(models, name), options);
    const registry = registryFor({ EMBEDDING_MODEL: name });
    const descriptor = await registry.describeConfigured();
    const proof = registry.prove(descriptor);
    await expect(proof).rejects.toBeInstanceOf(FatalStartupError);
    await expect(proof).rejects.toThrow(join(models, name));
    await expect(proof).rejects.toThrow(why);
  });

  it('is refused when its weights are no model', async () => {
    await writeTinyModel(join(models, 'noise'));
    await writeFile(join(models, 'noise', 'onnx', 'model_quantized.onnx'), await readFile(join(models, 'noise', 'config.json')));
    const registry = registryFor({ EMBEDDING_MODEL: 'noise' });
    await expect(registry.prove(await registry.describeConfigured())).rejects.toThrow('cannot be loaded');
  });

  it('takes the vectors of the tokens where an export has others as well, and proves to work', async () => {
    await writeTinyModel(join(models, 'works'), { pooling: { pooling_mode_mean_tokens: true } });
    const registry = registryFor({ EMBEDDING_MODEL: 'works' });
    await expect(registry.prove(await registry.describeConfigured())).resolves.toBeUndefined();
  });
});

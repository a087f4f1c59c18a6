import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { loadConfig } from '#config';
import { FatalStartupError } from '#kernel';
import { COMMIT, FakeModelHub } from '../../test/fake-model-hub.js';
import { writeTinyModel } from '../../test/tiny-model.js';
import { ConfiguredEmbedderRegistry } from '../configured-embedder-registry.js';
import { HubDownload } from './hub-download.js';
import { ModelFolder } from './model-folder.js';

const MODEL = 'owner/name';
const ONNX = 'onnx/model_quantized.onnx';
const UNAVAILABLE = { code: 'search.embedder-unavailable' };
const TEXTS = { max_tokens: 32, query_prefix: '', document_prefix: '' };

describe('a model on a hub', () => {
  let folder: string;
  let hub: FakeModelHub;
  let target: string;
  const registries: ConfiguredEmbedderRegistry[] = [];

  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error', 'warn', 'log']));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kindred-hub-'));
    await writeTinyModel(join(folder, 'hub'), { pooling: { pooling_mode_mean_tokens: true } });
    hub = await FakeModelHub.start(join(folder, 'hub'));
    target = join(folder, 'data', 'models', MODEL, 'q8');
  });
  afterEach(async () => {
    await Promise.all(registries.splice(0).map((registry) => registry.close()));
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  });

  const registryFor = (environment: Record<string, string> = {}) => {
    const defaults = { EMBEDDING_MODEL: MODEL, EMBEDDING_HUB_URL: `${hub.url}/`, EMBEDDING_MAX_TOKENS: '32', EMBEDDING_WORKERS: '1' };
    const config = loadConfig({ ...defaults, DATA_DIR: join(folder, 'data'), ...environment });
    const registry = new ConfiguredEmbedderRegistry(config.embedding);
    registries.push(registry);
    return registry;
  };
  const leftovers = async () => readdir(join(folder, 'data', 'models', 'owner', 'name')).catch(() => []);

  it('is downloaded once, all files of one state, with checksums; a later start asks nobody', async () => {
    const descriptor = await registryFor().describeConfigured();
    expect(descriptor).toMatchObject({ provider: 'local', model: MODEL, dimensions: 4 });
    expect(hub.requests).toEqual([
      `/owner/name/resolve/main/config.json`,
      ...['tokenizer.json', 'tokenizer_config.json', ONNX].map((file) => `/owner/name/resolve/${COMMIT}/${file}`),
      `/cdn/${ONNX}`,
      ...['1_Pooling/config.json', `${ONNX}_data`].map((file) => `/owner/name/resolve/${COMMIT}/${file}`),
    ]);
    const listed = new ModelFolder(target, 'q8', MODEL);
    await expect(listed.verify()).resolves.toBeUndefined();
    await expect(listed.describe(TEXTS)).resolves.toEqual(descriptor);
    expect((await readFile(join(target, 'SHA256SUMS'), 'utf8')).split('\n').filter((line) => line !== '')).toHaveLength(5);
    expect(JSON.parse(await readFile(join(target, 'origin.json'), 'utf8'))).toEqual({ hub: hub.url, model: MODEL, commit: COMMIT });

    hub.requests.length = 0;
    hub.behave('down');
    const later = registryFor();
    await expect(later.describeConfigured()).resolves.toEqual(descriptor);
    await expect(later.prove(descriptor)).resolves.toBeUndefined();
    await expect(later.get(descriptor).embedQuery('oak')).resolves.toMatchObject({ tokens: 3 });
    expect(hub.requests).toEqual([]);
  });

  it('is brought by another process when the index that it serves asks for it', async () => {
    const descriptor = await registryFor().describeConfigured();
    const elsewhere = registryFor({ DATA_DIR: join(folder, 'another'), EMBEDDING_MODEL: 'all-MiniLM-L6-v2' });
    const embedder = elsewhere.get(descriptor);
    hub.behave('down');
    await expect(embedder.ready()).rejects.toMatchObject(UNAVAILABLE);
    await expect(embedder.embedQuery('oak')).rejects.toMatchObject(UNAVAILABLE);
    hub.behave(null);
    hub.requests.length = 0;
    await Promise.all([embedder.ready(), embedder.embedDocuments(['oak']), embedder.countTokens(['oak'])]);
    expect(hub.requests.filter((path) => path.endsWith('/config.json') && path.includes('main'))).toHaveLength(1);
  });

  it('is not used when the hub has other weights by then', async () => {
    const descriptor = await registryFor().describeConfigured();
    await writeTinyModel(join(folder, 'hub'), { vocabularySize: 401 });
    const elsewhere = registryFor({ DATA_DIR: join(folder, 'another') });
    await expect(elsewhere.get(descriptor).ready()).rejects.toMatchObject({ ...UNAVAILABLE, detail: expect.stringContaining('other weights') });
  });

  it('is refused when it is damaged after the download', async () => {
    const registry = registryFor();
    const descriptor = await registry.describeConfigured();
    await writeFile(join(target, 'tokenizer.json'), '{}');
    await expect(registry.get(descriptor).ready()).rejects.toThrow('tokenizer.json is damaged');
  });

  it.each([
    ['that the hub does not have, or does not give to everybody', 'private' as const, '', {}],
    ['without an export in that precision', null, '', { EMBEDDING_DTYPE: 'fp16' }],
    ['without a tokenizer', 'private' as const, 'tokenizer.json', {}],
  ])('is refused for good when it is one %s', async (_, fault, file, environment) => {
    hub.behave(fault, file);
    const described = registryFor(environment).describeConfigured();
    await expect(described).rejects.toBeInstanceOf(FatalStartupError);
    await expect(described).rejects.toThrow(`${hub.url}/${MODEL} does not exist, needs a login, or has no `);
    await expect(leftovers()).resolves.toEqual([]);
  });

  it.each([
    ['is down', 'down' as const, ''],
    ['fails in the middle', 'down' as const, ONNX],
    ['cuts the connection', 'cut' as const, ONNX],
    ['sends no more', 'stall' as const, ONNX],
  ])('comes later when the hub %s, and nothing half is left', async (_, fault, file) => {
    hub.behave(fault, file);
    // Only what never comes is waited for so briefly: a machine that is busy is no hub that sends no more.
    const download = new HubDownload(hub.url, fault === 'stall' ? 200 : undefined);
    await expect(download.fetch(MODEL, 'q8', target)).rejects.toMatchObject({
      ...UNAVAILABLE,
      detail: `The model ${MODEL} could not be downloaded`,
    });
    await expect(leftovers()).resolves.toEqual([]);
    hub.behave(null);
    const later = fault === 'stall' ? new HubDownload(hub.url) : download;
    await Promise.all([later.fetch(MODEL, 'q8', target), later.fetch(MODEL, 'q8', target)]);
    await expect(new ModelFolder(target).verify()).resolves.toBeUndefined();
    expect(hub.requests.filter((path) => path === `/cdn/${ONNX}`).length).toBeLessThanOrEqual(2);
  });

  it('does not use what a process that was killed has left', async () => {
    await writeTinyModel(`${target}.part`, { dimensions: 8 });
    await writeFile(join(`${target}.part`, `${ONNX}_data`), 'weights of another state');
    await expect(registryFor().describeConfigured()).resolves.toMatchObject({ dimensions: 4 });
    await expect(leftovers()).resolves.toEqual(['q8']);
    await expect(readdir(join(target, 'onnx'))).resolves.toEqual(['model_quantized.onnx']);
  });
});

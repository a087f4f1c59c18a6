import { FakeThreads } from '../../test/fake-worker-thread.js';
import type { EmbedderDescriptor } from '../embedder.js';
import type { ModelFiles } from '../models/model-files.js';
import { ModelFolderError } from '../models/model-folder.errors.js';
import { TransformersEmbedder } from './transformers-embedder.js';

const DESCRIPTOR: EmbedderDescriptor = {
  provider: 'local',
  model: 'tiny',
  revision: '0123456789ab',
  dtype: 'q8',
  dimensions: 3,
  pooling: 'mean',
  query_prefix: 'query: ',
  document_prefix: 'passage: ',
  max_tokens: 16,
};

/** Lets promise callbacks run; the fakes answer without timers. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function setUp(verify: () => Promise<void> = () => Promise.resolve()) {
  const threads = new FakeThreads();
  const folder = { onnxFile: '/m/model.onnx', tokenizerFile: '/m/t.json', tokenizerConfigFile: '/m/c.json', verify } satisfies ModelFiles;
  const embedder = new TransformersEmbedder({ descriptor: DESCRIPTOR, folder, workers: 1, startThread: threads.start });
  const ready = embedder.ready();
  ready.catch(() => undefined);
  await settle();
  for (const thread of threads.started) thread.becomeReady();
  return { threads, embedder, ready };
}

describe('TransformersEmbedder', () => {
  it('starts threads with the model of its folder and the limits of its descriptor, after the files were checked', async () => {
    let pass = (): void => undefined;
    const { threads, ready } = await setUp(() => new Promise((resolve) => (pass = resolve)));
    expect(threads.started).toHaveLength(0);
    pass();
    await settle();
    threads.at(0).becomeReady();
    await ready;
    expect(threads.settings).toEqual([
      {
        onnxFile: '/m/model.onnx',
        tokenizerFile: '/m/t.json',
        tokenizerConfigFile: '/m/c.json',
        dimensions: 3,
        maxTokens: 16,
        workerNumber: expect.any(Number),
      },
    ]);
  });

  it('starts nothing when the files are damaged, and says so to every caller', async () => {
    const damage = new ModelFolderError('/m/model.onnx', 'is damaged');
    const { threads, embedder, ready } = await setUp(() => Promise.reject(damage));
    await expect(ready).rejects.toBe(damage);
    await expect(embedder.embedQuery('oak')).rejects.toMatchObject({ code: 'search.embedder-unavailable', cause: damage });
    await expect(embedder.embedDocuments(['oak'])).rejects.toMatchObject({ code: 'search.embedder-unavailable', cause: damage });
    expect(threads.started).toHaveLength(0);
  });

  it('puts the prefix of its kind before a text', async () => {
    const { threads, embedder } = await setUp();
    void embedder.embedQuery('oak').catch(() => undefined);
    void embedder.embedDocuments(['ash']).catch(() => undefined);
    await settle();
    expect(
      threads
        .at(0)
        .received.map(({ text, lane }) => `${lane} ${text}`)
        .sort(),
    ).toEqual(['document passage: ash', 'query query: oak']);
  });

  it.each([
    ['not-finite', Float32Array.of(NaN, 0, 0)],
    ['not-unit', Float32Array.of(0, 0, 0)],
    ['not-unit', Float32Array.of(1, 1, 0)],
    ['dimension', Float32Array.of(1, 0)],
  ])('refuses a vector with the defect %s', async (defect, vector) => {
    const { threads, embedder } = await setUp();
    const outcome = Promise.allSettled([embedder.embedQuery('oak'), embedder.embedDocuments(['oak'])]);
    await settle();
    threads.at(0).embedNext(vector);
    threads.at(0).embedNext(vector);
    for (const result of await outcome) {
      expect(result).toMatchObject({
        status: 'rejected',
        reason: { code: 'search.embedder-unavailable', cause: { message: expect.stringContaining(defect) } },
      });
    }
    expect(embedder.stats().cache.size).toBe(0);
  });

  it('embeds equal documents of one call once', async () => {
    const { threads, embedder } = await setUp();
    const embedding = embedder.embedDocuments(['oak', 'ash', 'oak']);
    await settle();
    expect(threads.at(0).received).toHaveLength(2);
    threads.at(0).embedNext(Float32Array.of(1, 0, 0));
    threads.at(0).embedNext(Float32Array.of(0, 1, 0));
    const [oak, ash, again] = await embedding;
    expect([oak!.vector, ash!.vector, again!.vector]).toEqual([
      Float32Array.of(1, 0, 0),
      Float32Array.of(0, 1, 0),
      Float32Array.of(1, 0, 0),
    ]);
    expect(again!.vector).not.toBe(oak!.vector);
  });

  it('embeds nothing more for a call when one of its texts has failed', async () => {
    const { threads, embedder } = await setUp();
    const embedding = embedder.embedDocuments(['a', 'b', 'c', 'd']);
    const outcome = Promise.allSettled([embedding]);
    await settle();
    threads.at(0).refuse(threads.at(0).take()!, 'bad shape');
    expect(await outcome).toMatchObject([{ status: 'rejected', reason: { code: 'search.embedder-unavailable' } }]);
    expect(threads.at(0).take()).toBeNull();
  });

  it('drops what has not begun when the caller gives up', async () => {
    const { threads, embedder } = await setUp();
    const controller = new AbortController();
    const reason = new Error('left');
    const outcome = Promise.allSettled([
      embedder.embedDocuments(['a', 'b', 'c'], { signal: controller.signal }),
      embedder.embedQuery('q', { signal: controller.signal }),
    ]);
    await settle();
    controller.abort(reason);
    expect(await outcome).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
    expect(threads.at(0).take()).toBeNull();
    expect(embedder.stats()).toMatchObject({ queries: { waiting: 0 }, documents: { waiting: 0 } });
  });

  it('hands only the start of a huge text to the tokenizer, and flags it', async () => {
    const { threads, embedder } = await setUp();
    const embedding = embedder.embedDocuments(['oak '.repeat(300_000)]);
    await settle();
    expect(threads.at(0).received[0]!.text.length).toBeLessThanOrEqual(16 * 32);
    threads.at(0).embedNext();
    await expect(embedding).resolves.toMatchObject([{ isTruncated: true }]);
  });
});

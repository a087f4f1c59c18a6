import { findVectorDefect } from '#kernel';
import { modelRevOf } from '#embeddings';
import { describeEmbedderContract } from './embedder-contract.js';
import { FakeEmbedder } from './fake-embedder.js';
import { FakeEmbedderRegistry } from './fake-embedder-registry.js';

const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, component, i) => sum + component * b[i]!, 0);

describe('FakeEmbedder', () => {
  it('gives unit vectors of the asked dimension, alike for texts that share words', async () => {
    const embedder = new FakeEmbedder({ dimensions: 256 });
    const [kitchen, oak, roof, empty] = await embedder.embedDocuments(['modern kitchen', 'Kitchen, in oak', 'slate roof', ' ']);
    for (const { vector } of [kitchen!, oak!, roof!, empty!]) expect(findVectorDefect(vector, 256)).toBeNull();
    expect(cosine(kitchen!.vector, oak!.vector)).toBeGreaterThan(0.3);
    expect(cosine(kitchen!.vector, roof!.vector)).toBe(0);
    expect((await embedder.embedQuery('modern kitchen')).vector).toEqual(kitchen!.vector);
  });

  it('cuts at the tokens it may read and says so', async () => {
    const embedder = new FakeEmbedder({ max_tokens: 4 });
    const [cut, whole] = await embedder.embedDocuments(['one two three', 'one two']);
    expect(cut).toMatchObject({ tokens: 4, isTruncated: true });
    expect(whole).toMatchObject({ tokens: 4, isTruncated: false });
    expect(cut!.vector).toEqual(whole!.vector);
  });

  it('fails as it is told, counts calls, and recovers', async () => {
    const embedder = new FakeEmbedder();
    embedder.failWhen((text) => text.includes('poison'));
    await expect(embedder.embedDocuments(['fine', 'poison'])).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    await expect(embedder.embedQuery('fine')).resolves.toBeDefined();
    embedder.failAlways(new Error('broken'));
    await expect(embedder.embedQuery('fine')).rejects.toThrow('broken');
    embedder.recover();
    await embedder.embedQuery('fine');
    expect(embedder.calls).toEqual({ ready: 0, queries: 3, documentJobs: 1, documents: 2, close: 0 });
  });

  it('wavers when it is told to: no two vectors of a text are the same, and none is further away than it says', async () => {
    const embedder = new FakeEmbedder();
    expect(embedder.repeatCosine).toBe(1);
    embedder.waver(0.999);
    expect(embedder.repeatCosine).toBe(0.999);
    const [a, b] = await embedder.embedDocuments(['oak stair', 'oak stair']);
    expect(findVectorDefect(a!.vector, 64)).toBeNull();
    expect(cosine(a!.vector, b!.vector)).toBeGreaterThanOrEqual(0.999);
    expect(cosine(a!.vector, b!.vector)).toBeLessThan(0.9999);
  });

  it('holds calls until released; abort and close reject what is held', async () => {
    const embedder = new FakeEmbedder();
    const release = embedder.hold();
    const abort = new AbortController();
    const aborted = embedder.embedQuery('a', { signal: abort.signal });
    const kept = embedder.embedQuery('b');
    abort.abort(new Error('gone'));
    await expect(aborted).rejects.toThrow('gone');
    release();
    await expect(kept).resolves.toBeDefined();
    embedder.hold();
    const closed = embedder.embedDocuments(['c']);
    await embedder.close();
    await expect(closed).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    await expect(embedder.embedQuery('d')).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
  });
});

describe('FakeEmbedderRegistry', () => {
  it('describes models that a test has added, also of another dimension, with what is chosen on top', async () => {
    const registry = new FakeEmbedderRegistry();
    registry.addModel('wide', { dimensions: 96 });
    const wide = await registry.describe({ model: 'wide', max_tokens: 16 });
    expect(wide).toEqual({ ...registry.configured.descriptor, model: 'wide', dimensions: 96, max_tokens: 16 });
    expect((await registry.get(wide).embedQuery('oak')).vector).toHaveLength(96);
    await expect(registry.describe({ model: 'unheard' })).rejects.toThrow('unheard');
    await expect(registry.prove(wide)).resolves.toBeUndefined();
    registry.refuseModel('wide');
    await expect(registry.prove(wide)).rejects.toThrow('wide');
    const first = registry.get(wide);
    await registry.release(first.modelRev);
    await expect(first.embedQuery('late')).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    expect(registry.get(wide)).not.toBe(first);
  });

  it('keeps one embedder per modelRev', async () => {
    const registry = new FakeEmbedderRegistry();
    const descriptor = await registry.describeConfigured();
    const other = { ...descriptor, dimensions: 8 };
    expect(registry.get({ ...descriptor })).toBe(registry.configured);
    expect(registry.get(other)).toBe(registry.get({ ...other }));
    expect(registry.get(other).modelRev).toBe(modelRevOf(other));
  });
});

describeEmbedderContract('FakeEmbedder', { make: () => Promise.resolve(new FakeEmbedder({ dimensions: 256 })) });

import type { Embedding } from './embedder.js';
import { QueryCache } from './query-cache.js';

interface Run {
  readonly text: string;
  readonly signal: AbortSignal;
  readonly resolve: (embedding: Embedding) => void;
  readonly reject: (reason: Error) => void;
}

const embeddingOf = (component: number): Embedding => ({ vector: Float32Array.of(component), tokens: 3, isTruncated: false });

function setUp(capacity?: number) {
  const runs: Run[] = [];
  const cache = new QueryCache((text, signal) => new Promise((resolve, reject) => runs.push({ text, signal, resolve, reject })), capacity);
  return { runs, cache };
}

describe('QueryCache', () => {
  it('runs a text once and remembers it', async () => {
    const { runs, cache } = setUp();
    const first = cache.get('oak');
    runs[0]!.resolve(embeddingOf(1));
    await first;
    await expect(cache.get('oak')).resolves.toEqual(embeddingOf(1));
    expect(runs).toHaveLength(1);
    expect(cache.stats()).toEqual({ hits: 1, joined: 0, misses: 1, size: 1 });
  });

  it('shares one run between equal texts in flight, and not between different ones', async () => {
    const { runs, cache } = setUp();
    const asked = [cache.get('oak'), cache.get('oak'), cache.get('ash')];
    expect(runs.map(({ text }) => text)).toEqual(['oak', 'ash']);
    runs[0]!.resolve(embeddingOf(1));
    runs[1]!.resolve(embeddingOf(2));
    expect((await Promise.all(asked)).map(({ vector }) => vector[0])).toEqual([1, 1, 2]);
    expect(cache.stats()).toMatchObject({ joined: 1, misses: 2 });
  });

  it('gives every caller a vector of its own', async () => {
    const { runs, cache } = setUp();
    const asked = [cache.get('oak'), cache.get('oak')];
    runs[0]!.resolve(embeddingOf(1));
    const [first, second] = await Promise.all(asked);
    first!.vector[0] = 99;
    expect(second!.vector[0]).toBe(1);
    second!.vector[0] = 98;
    const third = await cache.get('oak');
    expect(third.vector[0]).toBe(1);
    third.vector[0] = 97;
    expect((await cache.get('oak')).vector[0]).toBe(1);
  });

  it('lets one caller give up without harm to the others', async () => {
    const { runs, cache } = setUp();
    const controller = new AbortController();
    const leaving = cache.get('oak', { signal: controller.signal });
    const staying = cache.get('oak', { signal: new AbortController().signal });
    const reason = new Error('left');
    controller.abort(reason);
    await expect(leaving).rejects.toBe(reason);
    expect(runs[0]!.signal.aborted).toBe(false);
    runs[0]!.resolve(embeddingOf(1));
    await expect(staying).resolves.toEqual(embeddingOf(1));
  });

  it('gives the run up when the last caller has left; the next caller starts a new one', async () => {
    const { runs, cache } = setUp();
    const controllers = [new AbortController(), new AbortController()];
    const leaving = Promise.allSettled(controllers.map(({ signal }) => cache.get('oak', { signal })));
    controllers[0]!.abort(new Error('left'));
    expect(runs[0]!.signal.aborted).toBe(false);
    controllers[1]!.abort(new Error('left'));
    expect(runs[0]!.signal.aborted).toBe(true);
    await leaving;
    const next = cache.get('oak');
    expect(runs).toHaveLength(2);
    runs[0]!.reject(new Error('left'));
    runs[1]!.resolve(embeddingOf(2));
    await expect(next).resolves.toEqual(embeddingOf(2));
  });

  it('remembers no failure', async () => {
    const { runs, cache } = setUp();
    const failing = Promise.allSettled([cache.get('oak'), cache.get('oak')]);
    runs[0]!.reject(new Error('broken'));
    expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = cache.get('oak');
    runs[1]!.resolve(embeddingOf(1));
    await expect(again).resolves.toEqual(embeddingOf(1));
  });

  it('forgets the least recently used text when it is full, and never remembers a very long one', async () => {
    const { runs, cache } = setUp(2);
    const ask = async (text: string) => {
      const before = runs.length;
      const asked = cache.get(text);
      if (runs.length > before) runs[before]!.resolve(embeddingOf(1));
      await asked;
      return runs.length > before;
    };
    for (const text of ['a', 'b']) await ask(text);
    expect(await ask('a')).toBe(false);
    await ask('c');
    expect(await ask('a')).toBe(false);
    expect(await ask('b')).toBe(true);
    const long = 'x'.repeat(1_025);
    expect([await ask(long), await ask(long)]).toEqual([true, true]);
  });
});

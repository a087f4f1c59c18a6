import { isolatePoison, splitForIsolation } from './isolate-poison.js';

describe('isolatePoison', () => {
  /** Fails as soon as it meets a bad one, as an embedder does. */
  function worker(isBad: (item: number) => boolean) {
    const work = { calls: 0, tries: 0 };
    const action = (items: readonly number[]): Promise<string[]> => {
      work.calls++;
      work.tries += items.length;
      const bad = items.find(isBad);
      return bad === undefined ? Promise.resolve(items.map((item) => `ok ${item}`)) : Promise.reject(new Error(`bad ${bad}`));
    };
    return { work, action };
  }
  const batch = Array.from({ length: 64 }, (_, n) => n);
  const always = () => Promise.resolve(true);

  it('makes one call when all is well', async () => {
    const { work, action } = worker(() => false);
    const { done, poison, left, splits } = await isolatePoison(batch, action, always);
    expect([...done]).toEqual(batch.map((item) => [item, `ok ${item}`]));
    expect({ poison, left, splits, ...work }).toEqual({ poison: [], left: null, splits: 0, calls: 1, tries: 64 });
  });

  it('finds one bad item of 64 in 17 calls, and brings all others through', async () => {
    const { work, action } = worker((item) => item === 37);
    const { done, poison, splits } = await isolatePoison(batch, action, always);
    expect([...done.keys()].sort((a, b) => a - b)).toEqual(batch.filter((item) => item !== 37));
    expect(poison).toEqual([{ item: 37, error: new Error('bad 37') }]);
    expect({ splits, ...work }).toEqual({ splits: 2, calls: 17, tries: 64 + 64 + 8 });
  });

  it('tries no item more than three times, however many are bad', async () => {
    const { work, action } = worker(() => true);
    const { done, poison } = await isolatePoison(batch, action, always);
    expect(done.size).toBe(0);
    expect(poison.map(({ item }) => item)).toEqual(batch);
    expect(work.tries).toBe(3 * 64);
  });

  it('stops at a failure that says nothing about the items', async () => {
    let calls = 0;
    const away = new Error('away');
    const action = (items: readonly number[]): Promise<number[]> => {
      calls++;
      if (calls === 3) return Promise.reject(away);
      return items.length === 64 ? Promise.reject(new Error('bad')) : Promise.resolve([...items]);
    };
    const { done, poison, left } = await isolatePoison(batch, action, (error) => Promise.resolve(error !== away));
    expect([...done.keys()]).toEqual(batch.slice(0, 8));
    expect(poison).toEqual([]);
    expect(left).toEqual({ items: batch.slice(8), error: away });
    expect(calls).toBe(3);
  });
});

describe('splitForIsolation', () => {
  it.each([
    [64, new Array(8).fill(8)],
    [10, [2, 2, 2, 2, 2]],
    [8, new Array(8).fill(1)],
    [2, [1, 1]],
  ])('splits %i', (count, sizes) => {
    expect(splitForIsolation(Array.from({ length: count })).map(({ length }) => length)).toEqual(sizes);
  });
});

import { mergeJoin } from './merge-join.js';

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

async function join(left: string[], right: string[]): Promise<[string | null, string | null][]> {
  const pairs: [string | null, string | null][] = [];
  for await (const pair of mergeJoin(each(left), each(right), String, String)) pairs.push([pair.left, pair.right]);
  return pairs;
}

describe('mergeJoin', () => {
  it('pairs equal ids and leaves the others alone', async () => {
    await expect(join(['a', 'b', 'd'], ['b', 'c', 'd', 'e'])).resolves.toEqual([
      ['a', null],
      ['b', 'b'],
      [null, 'c'],
      ['d', 'd'],
      [null, 'e'],
    ]);
  });

  it('takes empty sides', async () => {
    await expect(join([], [])).resolves.toEqual([]);
    await expect(join(['a'], [])).resolves.toEqual([['a', null]]);
    await expect(join([], ['a', 'b'])).resolves.toEqual([
      [null, 'a'],
      [null, 'b'],
    ]);
  });
});

import { fuse, FUSED_DEPTH, RRF_K } from './fusion.js';

const fused = (lists: string[][]) => fuse(lists.map((ids) => ({ ids })));
const idsOf = (lists: string[][]) => fused(lists).map(({ id }) => id);

describe('fuse', () => {
  it('sums 1 / (60 + rank) over the lists that have a row', () => {
    expect(fused([['a', 'b'], ['b']])).toEqual([
      { id: 'b', score: 1 / 62 + 1 / 61, ranks: [2, 1] },
      { id: 'a', score: 1 / 61, ranks: [1, null] },
    ]);
  });

  it('gives back one list as it is', () => {
    expect(idsOf([['c', 'a', 'b'], []])).toEqual(['c', 'a', 'b']);
    expect(fused([[], []])).toEqual([]);
    expect(fuse([])).toEqual([]);
  });

  it('puts equal scores in the order of their ids', () => {
    expect(idsOf([['b'], ['a']])).toEqual(['a', 'b']);
    expect(
      idsOf([
        ['b', 'a'],
        ['a', 'b'],
      ]),
    ).toEqual(['a', 'b']);
  });

  it('treats the lists alike: their order changes no score, not even by rounding', () => {
    const lists = [
      ['x', 'p', 'q', 'y', 'r'],
      ['r', 'x', 's', 't', 'y'],
      ['y', 'u', 'x', 'v', 'w'],
    ];
    const scores = (order: number[]) => new Map(fused(order.map((index) => lists[index]!)).map(({ id, score }) => [id, score]));
    for (const order of [
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ])
      expect(scores(order)).toEqual(scores([0, 1, 2]));
    // 1 + 2 + 3 and 4 + 5 + 1 are added in orders of their own.
    const mirrored = fused([
      ['a', 'm', 'b'],
      ['m', 'b', 'a'],
      ['b', 'a', 'm'],
    ]);
    expect(new Set(mirrored.map(({ score }) => score)).size).toBe(1);
    expect(mirrored.map(({ id }) => id)).toEqual(['a', 'b', 'm']);
  });

  const list = (at: number, id: string, filler: string) => [...Array.from({ length: at - 1 }, (_, n) => `${filler}${n}`), id];

  it('prefers what both lists have early to what one list has first', () => {
    const best = (at: number) => idsOf([list(at, 'both', 'x'), list(at, 'both', 'y')])[0];
    expect(best(FUSED_DEPTH)).toBe('both');
    expect(best(FUSED_DEPTH + 1)).toBe('x0');
  });

  it('counts a late place only for a row that has no better one, behind all that have', () => {
    const late = FUSED_DEPTH + 1;
    const rows = fused([list(3, 'early', 'x'), [...list(late, 'early', 'y'), 'late']]);
    expect(rows.find(({ id }) => id === 'early')).toMatchObject({ score: 1 / 63, ranks: [3, late] });
    expect(rows.at(-1)).toEqual({ id: 'late', score: 1 / (RRF_K + late + 1), ranks: [null, late + 1] });
  });

  it('counts as many places of a list as it is told; the others are late', () => {
    const rows = fuse([{ ids: ['a', 'b', 'c', 'd'] }, { ids: ['b', 'c', 'e', 'f'], counted: 1 }]);
    expect(rows.map(({ id, score }) => [id, score])).toEqual([
      ['b', 1 / 61 + 1 / 62],
      ['a', 1 / 61],
      ['c', 1 / 63],
      ['d', 1 / 64],
      // Third of its list, and the second that does not count there.
      ['e', 1 / (RRF_K + FUSED_DEPTH + 2)],
      ['f', 1 / (RRF_K + FUSED_DEPTH + 3)],
    ]);
  });

  it('gives the first results the same order however long the lists are', () => {
    const long = [
      Array.from({ length: 100 }, (_, n) => `a${(n * 37) % 100}`),
      Array.from({ length: 100 }, (_, n) => `a${(n * 61 + 5) % 100}`),
    ];
    const cut = (length: number) => idsOf(long.map((ids) => ids.slice(0, length))).slice(0, FUSED_DEPTH);
    for (const length of [FUSED_DEPTH, 50, 100]) expect(cut(length)).toEqual(cut(FUSED_DEPTH));
  });

  it('counts an id once per list, at its better place', () => {
    expect(fused([['a', 'b', 'a']])).toEqual([
      { id: 'a', score: 1 / 61, ranks: [1] },
      { id: 'b', score: 1 / 62, ranks: [2] },
    ]);
  });
});

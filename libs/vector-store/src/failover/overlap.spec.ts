import { overlapOf, resultListsOf } from './overlap.js';

const list = (...ids: string[]) => ids.map((id, index) => ({ id, score: 1 - index / 100 }));
const numbered = (from: number, to: number) => list(...Array.from({ length: to - from }, (_, n) => String(from + n)));

describe('overlapOf', () => {
  it.each([
    [list('a', 'b'), list('b', 'a'), 1],
    [list('a', 'b'), list('b', 'c'), 0.5],
    [list('a'), list('a', 'b', 'c', 'd'), 0.25],
    [list('a', 'b'), [], 0],
    [[], [], null],
    [numbered(0, 30), numbered(5, 35), 0.5],
    [numbered(0, 30), numbered(10, 40), 0],
  ])('%#', (left, right, expected) => expect(overlapOf(left, right)).toBe(expected));
});

describe('resultListsOf', () => {
  it('takes one list, and several', () => {
    expect(resultListsOf(list('a', 'b'))).toEqual([list('a', 'b')]);
    expect(resultListsOf([list('a'), []])).toEqual([list('a'), []]);
  });

  it.each([[null], [undefined], [7], [{ pointsCount: 3 }], [[1, 2]], [[]], [[{ id: 'a' }]], [[['a']]]])('leaves %j alone', (value) =>
    expect(resultListsOf(value)).toBeNull(),
  );
});

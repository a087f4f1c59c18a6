import { meanScores, ndcgAt, recallAt, reciprocalRank, scoresOf } from './metrics.js';

/** Three relevant documents with the grades 3, 2 and 1. */
const RELEVANT = new Map([
  ['a', 3],
  ['b', 2],
  ['c', 1],
]);

describe('recallAt', () => {
  it.each([
    [1, ['a', 'x', 'b'], 1 / 3],
    [2, ['a', 'x', 'b'], 1 / 3],
    [3, ['a', 'x', 'b'], 2 / 3],
    [5, ['c', 'b', 'a'], 1],
    [5, ['x', 'y'], 0],
    [5, [], 0],
  ])('@%d of %j is %d', (k, ranking, expected) => {
    expect(recallAt(k, ranking, RELEVANT)).toBeCloseTo(expected, 12);
  });
});

describe('reciprocalRank', () => {
  it.each([
    [['c', 'a'], 1],
    [['x', 'y', 'a', 'b'], 1 / 3],
    [['x'], 0],
    [[], 0],
  ])('of %j is %d', (ranking, expected) => {
    expect(reciprocalRank(ranking, RELEVANT)).toBeCloseTo(expected, 12);
  });
});

describe('ndcgAt', () => {
  // By hand: the best order a, b, c has DCG = 3 / 1 + 2 / 1.584963 + 1 / 2 = 4.761860.
  it.each([
    ['the best order', 10, ['a', 'b', 'c', 'x'], 1],
    // 1 + 2 / 1.584963 + 3 / 2 = 3.761860
    ['the reverse order', 10, ['c', 'b', 'a'], 0.789998],
    // 3 / 1.584963 + 2 / 2.321928 = 2.754142
    ['gaps', 10, ['x', 'a', 'y', 'b'], 0.578375],
    // 3 / 1 of (3 / 1 + 2 / 1.584963 = 4.261860)
    ['a cut that bounds the best order too', 2, ['a', 'x', 'b'], 0.703918],
    ['a cut before the first relevant document', 1, ['x', 'a'], 0],
    ['an empty ranking', 10, [], 0],
  ])('of %s', (_, k, ranking, expected) => {
    expect(ndcgAt(k, ranking, RELEVANT)).toBeCloseTo(expected, 6);
  });
});

describe('scoresOf', () => {
  it('gives every figure of one ranking', () => {
    const scores = scoresOf(['x', 'a', 'y', 'b'], RELEVANT);
    expect(scores).toEqual({
      success1: 0,
      recall1: 0,
      recall5: expect.closeTo(2 / 3, 12),
      recall10: expect.closeTo(2 / 3, 12),
      mrr: 0.5,
      ndcg10: expect.closeTo(0.578375, 6),
    });
    expect(scoresOf(['c'], RELEVANT).success1).toBe(1);
  });

  it('refuses a document that is named twice, which would count twice, and a query that nothing is relevant to', () => {
    expect(() => scoresOf(['a', 'a'], RELEVANT)).toThrow(RangeError);
    expect(() => scoresOf(['a'], new Map())).toThrow(RangeError);
  });
});

describe('meanScores', () => {
  it('lets every query count the same', () => {
    const scores = [scoresOf(['a', 'b', 'c'], RELEVANT), scoresOf(['x'], RELEVANT), scoresOf(['x', 'a'], new Map([['a', 1]]))];
    expect(meanScores(scores)).toEqual({
      success1: expect.closeTo(1 / 3, 12),
      recall1: expect.closeTo(1 / 9, 12),
      recall5: expect.closeTo(2 / 3, 12),
      recall10: expect.closeTo(2 / 3, 12),
      mrr: 0.5,
      ndcg10: expect.closeTo((1 + 0 + 0.63093) / 3, 5),
    });
  });

  it('has no mean of nothing', () => {
    expect(() => meanScores([])).toThrow(RangeError);
  });
});

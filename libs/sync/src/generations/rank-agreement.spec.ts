import { mean, rankAgreement } from './rank-agreement.js';

describe('rankAgreement', () => {
  it.each([
    ['equal lists', 'abc', 'abc', { overlap: 1, shift: 0 }],
    ['two that changed places', 'abcd', 'bacd', { overlap: 1, shift: 0.5 }],
    ['one of three in common', 'abc', 'xya', { overlap: 1 / 3, shift: 2 }],
    ['nothing in common', 'ab', 'xy', { overlap: 0, shift: null }],
    ['lists of different length', 'ab', 'abcd', { overlap: 0.5, shift: 0 }],
    ['one empty list', '', 'ab', { overlap: 0, shift: null }],
    ['two empty lists', '', '', { overlap: 1, shift: null }],
  ])('%s', (_, left, right, expected) => {
    expect(rankAgreement([...left], [...right])).toEqual(expected);
    expect(rankAgreement([...right], [...left])).toEqual(expected);
  });

  it('has no mean of nothing', () => {
    expect(mean([])).toBeNull();
    expect(mean([1, 2])).toBe(1.5);
  });
});

import { saysNotInPassages, withholdingIt } from './not-in-passages.js';

describe('saysNotInPassages', () => {
  it.each([
    ['NOT_IN_PASSAGES', [], true],
    [' **NOT_IN_PASSAGES**.', [], true],
    ['NOT_IN_PASSAGES: they are about oak [1].', [1], true],
    ['The answer is NOT_IN_PASSAGES.', [], true],
    ['Oak is hard [1]. Of its price: NOT_IN_PASSAGES.', [1], false],
    ['Oak is hard [1].', [1], false],
    ['I do not know.', [], false],
  ])('%j with citations %j: %s', (text, numbers, says) => expect(saysNotInPassages({ text, numbers })).toBe(says));
});

describe('withholdingIt', () => {
  const passedOf = (...pieces: string[]) => {
    const passed: string[] = [];
    const pass = withholdingIt((piece) => passed.push(piece));
    for (const piece of pieces) pass(piece);
    return passed;
  };

  it('passes on every piece of an answer', () => {
    expect(passedOf('Oak', ' is', ' hard')).toEqual(['Oak', ' is', ' hard']);
    expect(passedOf('', 'N', 'O', 'T', ' at all', ' [1]')).toEqual(['NOT at all', ' [1]']);
  });

  it('passes on nothing of a text that says it', () => {
    expect(passedOf('NOT_', 'IN_PASS', 'AGES')).toEqual([]);
    expect(passedOf('\n', 'NOT_IN_PASSAGES', '. They are about oak.')).toEqual([]);
  });
});

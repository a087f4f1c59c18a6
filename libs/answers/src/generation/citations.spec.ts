import { SeededRandom } from '#testing';
import { checkCitations, citationsAsWords, withoutCitations } from './citations.js';

const SEED = 20_261_126;

describe('checkCitations', () => {
  it.each([
    ['Oak is hard [1].', 'Oak is hard [1].', [1]],
    ['Oak is hard[2][1].', 'Oak is hard[2][1].', [1, 2]],
    ['Oak [1, 3] and ash [2;2].', 'Oak [1][3] and ash [2].', [1, 2, 3]],
    ['Oak [1-3].', 'Oak [1][2][3].', [1, 2, 3]],
    ['Oak 【1】 and [^2].', 'Oak [1] and [2].', [1, 2]],
    ['Oak [4].', 'Oak.', []],
    ['Oak [0] [99] [2024].', 'Oak.', []],
    ['Oak [1234567] ［2］.', 'Oak [2].', [2]],
    ['Oak [1, 7].', 'Oak [1].', [1]],
    ['Oak [3-1] or [1-900].', 'Oak or.', []],
    ['An array[i], a [note], (1).', 'An array[i], a [note], (1).', []],
    ['Oak [[9]2].', 'Oak [2].', [2]],
    ['Oak [[[[[[[9]9]9]9]9]9]1].', 'Oak 91.', []],
    ['A line\n[1] begins here', 'A line\n[1] begins here', [1]],
    ['', '', []],
  ])('%j becomes %j', (text, checked, numbers) => {
    expect(checkCitations(text, 3)).toEqual({ text: checked, numbers });
  });

  it(`leaves no citation of something that is not there, whatever was written (seed ${SEED})`, () => {
    const parts = ['[1]', '[9]', '[', ']', '【', '】', '[1', '2]', ',', '-', ' ', '[0]', '[[4]]', 'oak', '[3,3,99]', '[^', '\n'];
    const random = new SeededRandom(SEED);
    for (let trial = 0; trial < 2_000; trial++) {
      const text = Array.from({ length: 12 }, () => random.pick(parts)).join('');
      const { text: checked, numbers } = checkCitations(text, 3);
      const left = [...checked.matchAll(/\[(\d+)\]/g)].map(([, number]) => Number(number));
      expect([text, left.filter((number) => number < 1 || number > 3)]).toEqual([text, []]);
      expect([text, [...new Set(left)].sort()]).toEqual([text, numbers]);
    }
  });

  it('does not slow down on hostile text', () => {
    const startedAt = performance.now();
    for (const text of [' '.repeat(50_000), '['.repeat(50_000), '[1,'.repeat(20_000), `[${'1,'.repeat(25_000)}`, '[1-'.repeat(20_000)])
      checkCitations(text, 3);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

describe('withoutCitations', () => {
  it('leaves the words', () => expect(withoutCitations('Oak [1], oiled [2][3].')).toBe('Oak, oiled.'));
});

describe('citationsAsWords', () => {
  it(`leaves nothing that counts as a citation in an answer (seed ${SEED})`, () => {
    const parts = ['[1]', '[', ']', '【', '】', '［', '］', '1', '23', ',', ';', '-', '–', ' ', '^', 'oak', '\n'];
    const random = new SeededRandom(SEED);
    let counted = 0;
    for (let trial = 0; trial < 5_000; trial++) {
      const text = Array.from({ length: 8 }, () => random.pick(parts)).join('');
      counted += checkCitations(text, 99).numbers.length;
      expect([text, checkCitations(citationsAsWords(text), 99).numbers]).toEqual([text, []]);
    }
    expect(counted).toBeGreaterThan(1_000);
  });
});

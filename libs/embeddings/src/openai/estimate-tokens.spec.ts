import { SeededRandom } from '#testing';
import { cutToTokens, estimateTokens, SPECIAL_TOKENS } from './estimate-tokens.js';

const SEED = 20_261_126;

/** Tokens in cl100k_base and in o200k_base, counted once with a port of OpenAI's tokenizer; specials not included. */
const COUNTED: readonly (readonly [text: string, cl100k: number, o200k: number])[] = [
  ['', 0, 0],
  ['oak', 2, 1],
  ['Modern kitchen with an oak worktop', 7, 7],
  ['Treppe aus Eiche, geölt, 14 Stufen, mit Handlauf', 19, 18],
  ['屋根の修理と断熱材', 14, 9],
  ['Лестница из дуба с перилами', 12, 10],
  ['መንበር ጠረጴዛ በር', 29, 22],
  ['\u0000\u0001\u0007\u001b', 4, 4],
  ['QXZJKVWQXZJKVW qxzjkvwqxzjkvw', 20, 18],
  ['👷🏽🪵🔨', 12, 9],
  ['3.14159 2026-11-21 0x7f', 16, 16],
  ['№²³½°€£§→×±µ™©', 15, 14],
  ['\ue000\ue123\uf456', 9, 8],
  ['e\u0301a\u0308o\u0302', 8, 6],
  ['ﷺ', 3, 2],
  ['𝒜𝓑𝔠𝕕', 12, 12],
  ['aGVsbG8gd29ybGQhIQ==', 13, 13],
];

describe('estimateTokens', () => {
  it.each(COUNTED)('counts %j not too low', (text, cl100k, o200k) => {
    expect(estimateTokens(text) - SPECIAL_TOKENS).toBeGreaterThanOrEqual(Math.max(cl100k, o200k));
  });

  it('only grows with the text', () => {
    const text = 'Treppe aus Eiche, 屋根 👷🏽 №7';
    const counts = Array.from(text, (_, i) => estimateTokens([...text].slice(0, i + 1).join('')));
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
  });
});

describe('cutToTokens', () => {
  it(`leaves alone what fits, and cuts the rest as late as it may, never inside a character (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    for (let trial = 0; trial < 500; trial++) {
      const text = Array.from({ length: 1 + Math.floor(random.next() * 30) }, () => random.pick(['a', 'ö', '屋', '👷', ' '])).join('');
      const maxTokens = 8 + Math.floor(random.next() * 60);
      const cut = cutToTokens(text, maxTokens);
      const what = JSON.stringify({ trial, text, maxTokens, cut });
      expect([what, text.startsWith(cut), cut.isWellFormed(), estimateTokens(cut) <= maxTokens]).toEqual([what, true, true, true]);
      const next = [...text.slice(cut.length)][0];
      if (next === undefined) continue;
      expect([what, estimateTokens(cut + next) > maxTokens]).toEqual([what, true]);
    }
  });

  it('cuts texts with the same start to the same text', () => {
    expect(cutToTokens('oak '.repeat(100), 64)).toBe(cutToTokens('oak '.repeat(200), 64));
  });
});

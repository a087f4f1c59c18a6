import { CHARACTERS_PER_TOKEN, readableStart } from './readable-start.js';

const LIMIT = 10 * CHARACTERS_PER_TOKEN;

describe('readableStart', () => {
  it('leaves a text alone that is short enough', () => {
    const text = ` ${'a'.repeat(LIMIT - 2)} `;
    expect(readableStart(text, 10)).toEqual({ text, isCut: false });
  });

  it('cuts between two words and says so', () => {
    const { text, isCut } = readableStart('kitchen '.repeat(LIMIT), 10);
    expect(isCut).toBe(true);
    expect(text.length).toBeLessThanOrEqual(LIMIT);
    expect(text.length).toBeGreaterThan(LIMIT - 100);
    expect(text).toMatch(/(^| )kitchen$/);
  });

  it('keeps a word that ends exactly at the limit', () => {
    expect(readableStart(`${'a'.repeat(LIMIT)} b`, 10).text).toBe('a'.repeat(LIMIT));
  });

  it('cuts a word that is longer than any real one, but no surrogate pair', () => {
    expect(readableStart('x'.repeat(LIMIT + 1), 10)).toEqual({ text: 'x'.repeat(LIMIT), isCut: true });
    const { text } = readableStart(`x${'👷'.repeat(LIMIT)}`, 10);
    expect(text).toHaveLength(LIMIT - 1);
    expect(text.isWellFormed()).toBe(true);
  });

  it('does not count white space around a long text', () => {
    expect(readableStart(`${' '.repeat(LIMIT)}oak stair${'\n'.repeat(LIMIT)}`, 10)).toEqual({ text: 'oak stair', isCut: false });
    expect(readableStart(' '.repeat(2 * LIMIT), 10)).toEqual({ text: '', isCut: false });
  });
});

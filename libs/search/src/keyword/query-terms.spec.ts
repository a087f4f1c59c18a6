import { chooseTerms, type QueryWord } from './query-terms.js';

/** A word with its German and its English form; an empty text = a stop word there. */
const word = (german: string, english = german): QueryWord => ({ forms: [german, english].map((form) => (form === '' ? [] : [form])) });
const lexemesOf = (words: QueryWord[], frequencies: Record<string, number> = {}) =>
  chooseTerms(words, (lexeme) => frequencies[lexeme] ?? null).flatMap(({ lexemes }) => lexemes);

describe('chooseTerms', () => {
  it('looks for every form of a word, once', () => {
    expect(lexemesOf([word('kuch', 'küch'), word('oak')]).sort()).toEqual(['kuch', 'küch', 'oak']);
  });

  it('knows no words of a text that has none', () => {
    expect(lexemesOf([])).toEqual([]);
    expect(lexemesOf([word('', 'die'), word('', '')])).toEqual([]);
  });

  it('takes for stop words what is one in the language of the text: there are most of them', () => {
    // "die Treppe war im Haus": die, war and im are words in English.
    const german = [word('', 'die'), word('trepp'), word('', 'war'), word('', 'im'), word('haus')];
    expect(lexemesOf(german).sort()).toEqual(['haus', 'trepp']);
    // "the war was in Europe": war and was are stop words in German, the, was and in are in English.
    const english = [word('the', ''), word('', 'war'), word('', ''), word('', ''), word('of', ''), word('europ')];
    expect(lexemesOf(english).sort()).toEqual(['europ', 'war']);
  });

  it('takes both languages at their word when it cannot tell', () => {
    expect(lexemesOf([word('', 'die'), word('the', ''), word('oak')])).toEqual(['oak']);
    expect(lexemesOf([word('oak'), word('eich')]).sort()).toEqual(['eich', 'oak']);
  });

  it('puts the rarest first: unknown ones, of these the longest, then by frequency', () => {
    const terms = ['oak', 'kitchen', 'door', 'lamello', 'beam'].map((lexeme) => word(lexeme));
    expect(lexemesOf(terms, { oak: 0.4, kitchen: 0.2, door: 0.3 })).toEqual(['lamello', 'beam', 'kitchen', 'door', 'oak']);
  });

  it('takes the forms of a word together, and words with a form in common for one', () => {
    const words = [word('kuch', 'küche'), word('holz'), word('kuch', 'küchen')];
    expect(chooseTerms(words, (lexeme) => ({ kuch: 0.5, küche: 0.2, holz: 0.9 })[lexeme] ?? null)).toEqual([
      { lexemes: ['kuch', 'küche', 'küchen'], frequency: 0.7 },
      { lexemes: ['holz'], frequency: 0.9 },
    ]);
    expect(chooseTerms([word('a', 'b')], () => 0.8)).toEqual([{ lexemes: ['a', 'b'], frequency: 1 }]);
  });

  it('keeps the 32 rarest', () => {
    const many = Array.from({ length: 100 }, (_, n) => word(`w${String(n).padStart(3, '0')}`));
    const kept = lexemesOf(many, Object.fromEntries(many.map(({ forms }, n) => [forms[0]![0]!, (100 - n) / 1000])));
    expect(kept).toHaveLength(32);
    expect(kept[0]).toBe('w099');
    expect(kept.at(-1)).toBe('w068');
  });
});

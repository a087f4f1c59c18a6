import { planKeywords, RANKED_ROWS, TERM_CLASSES, type TableStatistics } from './keyword-plan.js';

const statisticsOf = (rows: number): TableStatistics => ({ rows, frequencies: new Map(), leastFrequency: 0.01 });
const term = (lexeme: string, frequency: number | null = null) => ({ lexemes: [lexeme], frequency });
const plan = (terms: ReturnType<typeof term>[], rows: number, isFiltered = false) => planKeywords(terms, statisticsOf(rows), isFiltered);

describe('planKeywords', () => {
  it('finds nothing by no words', () => {
    expect(plan([], 10_000)).toEqual({ candidates: [], classes: [] });
  });

  it('ranks every row that has a word while there are few rows', () => {
    const terms = [term('a'), term('b', 0.2), term('c', 1)];
    for (const rows of [0, RANKED_ROWS]) expect(plan(terms, rows).candidates).toEqual([`'a' | 'b' | 'c'`]);
  });

  it('takes rows with several rare words before rows with one', () => {
    expect(plan([term('a'), term('b')], 10_000).candidates).toEqual([`('a' & ('b'))`, `'a' | 'b'`]);
    expect(plan([term('a'), term('b'), term('c'), term('d')], 10_000).candidates).toEqual([
      `('a' & ('b' & ('c' | 'd') | 'c' & ('d')) | 'b' & ('c' & ('d')))`,
      `('a' & ('b' | 'c' | 'd') | 'b' & ('c' | 'd') | 'c' & ('d'))`,
      `'a' | 'b' | 'c' | 'd'`,
    ]);
  });

  it('takes rows with the only rare word and a frequent one before the others that have it', () => {
    expect(plan([term('a'), term('f', 0.3), term('g', 0.5)], 10_000).candidates).toEqual([`'a' & ('f' | 'g')`, `'a'`, `'f' & 'g'`, `'f'`]);
  });

  it('takes rows with as many of the frequent words together as leave few enough, then with fewer', () => {
    const frequent = [term('f', 0.1), term('g', 0.2), term('h', 0.3), term('i', 0.4)];
    expect(plan(frequent, 10_000).candidates).toEqual([`'f' & 'g'`, `'f'`]);
    expect(plan(frequent, 100_000).candidates).toEqual([`'f' & 'g' & 'h' & 'i'`, `'f' & 'g' & 'h'`, `'f' & 'g'`, `'f'`]);
    expect(plan([term('f', 1)], 10_000).candidates).toEqual([`'f'`]);
  });

  it('looks for every frequent word where a filter may leave out most rows', () => {
    expect(plan([term('f', 0.1), term('g', 0.2), term('h', 0.3)], 10_000, true).candidates).toEqual([
      `'f' & 'g'`,
      `'f'`,
      `'f' | 'g' | 'h'`,
    ]);
  });

  it('takes a word in any of its forms for one word', () => {
    const [a, f] = [
      { lexemes: ['kuch', 'küch'], frequency: null },
      { lexemes: ['holz', 'hölz'], frequency: 0.2 },
    ];
    expect(plan([a, term('b')], 10_000).candidates).toEqual([`(('kuch' | 'küch') & ('b'))`, `'kuch' | 'küch' | 'b'`]);
    expect(plan([f, term('g', 0.3)], 10_000).candidates).toEqual([`('holz' | 'hölz') & 'g'`, `('holz' | 'hölz')`]);
    expect(plan([a, f], 10_000).classes).toEqual([
      { query: `'kuch' | 'küch'`, weight: expect.closeTo((2 * Math.log(100)) / (Math.log(100) - Math.log(0.2))) },
      { query: `'holz' | 'hölz'`, weight: expect.closeTo((-2 * Math.log(0.2)) / (Math.log(100) - Math.log(0.2))) },
    ]);
  });

  it('weighs a word by how rare it is, and words that are about equally rare together', () => {
    const { classes } = plan([term('a'), term('b'), term('c', 0.03), term('d', 0.1), term('e', 0.5), term('f', 1)], 10_000);
    expect(classes).toHaveLength(TERM_CLASSES);
    expect(classes.map(({ query }) => query)).toEqual([`'a' | 'b'`, `'c'`, `'d'`, `'e' | 'f'`]);
    const weights = classes.map(({ weight }) => weight);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1);
    expect(weights[0]! / weights[1]!).toBeCloseTo((2 * Math.log(100)) / -Math.log(0.03));
    // Even a word of every row counts a little.
    expect(weights[3]! / weights[1]!).toBeCloseTo((Math.log(0.5) + Math.log(0.9)) / Math.log(0.03));
    for (const weight of weights) expect(weight).toBeGreaterThan(0);
  });

  it('writes a lexeme so that it stays one, whatever is in it', () => {
    expect(plan([term(`it's`), term('a\\b'), term('x & !y')], 0).candidates).toEqual([`'it''s' | 'a\\\\b' | 'x & !y'`]);
  });
});

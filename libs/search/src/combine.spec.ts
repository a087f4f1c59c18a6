import { combine, type FoundLists } from './combine.js';

const rowsOf = (...ids: string[]) => new Map(ids.map((id) => [id, { group: id[0]! }]));
const OPTIONS = { topK: 10, threshold: null, defaultThreshold: 0.3 };

/** Two lists over rows of one letter; cosines as given. */
function found(vector: Record<string, number>, keyword: string[], others: Record<string, number> = {}): FoundLists<{ group: string }> {
  const rows = rowsOf(...Object.keys(vector), ...keyword);
  return {
    vector: Object.entries(vector).map(([id, similarity], index) => ({ id, row: rows.get(id)!, similarity, rank: index + 1 })),
    keyword: keyword.map((id, index) => ({ id, score: 1 - index / 10 })),
    rows,
    similarities: new Map(Object.entries({ ...others, ...vector })),
  };
}

const idsOf = (hits: readonly { readonly id: string }[]) => hits.map(({ id }) => id);

describe('combine', () => {
  it('ranks by the fused score and says where each row stood', () => {
    expect(combine(found({ a: 0.9, b: 0.8 }, ['b', 'c'], { c: 0.1 }), OPTIONS)).toEqual([
      {
        id: 'b',
        row: { group: 'b' },
        similarity: 0.8,
        rank: 1,
        scores: { vector: { similarity: 0.8, rank: 2 }, keyword: { score: 1, rank: 1 }, fused: 1 / 61 + 1 / 62 },
      },
      {
        id: 'a',
        row: { group: 'a' },
        similarity: 0.9,
        rank: 2,
        scores: { vector: { similarity: 0.9, rank: 1 }, keyword: null, fused: 1 / 61 },
      },
      { id: 'c', row: { group: 'c' }, similarity: 0.1, rank: 3, scores: { vector: null, keyword: { score: 0.9, rank: 2 }, fused: 1 / 62 } },
    ]);
  });

  it('has no similarity for a row that the index does not know', () => {
    expect(combine(found({}, ['a']), OPTIONS)).toMatchObject([{ id: 'a', similarity: null, rank: 1 }]);
  });

  it('holds every known similarity to the threshold that was named', () => {
    const lists = found({ a: 0.9, b: 0.4 }, ['b', 'c', 'd'], { c: 0.2 });
    expect(idsOf(combine(lists, { ...OPTIONS, threshold: 0.5 }))).toEqual(['a', 'd']);
    expect(idsOf(combine(lists, { ...OPTIONS, threshold: 0.2 }))).toEqual(['b', 'a', 'c', 'd']);
  });

  it('holds only what vectors alone found to the default threshold', () => {
    expect(idsOf(combine(found({ a: 0.31, b: 0.29, c: 0.1 }, ['c', 'd'], { d: -0.2 }), OPTIONS))).toEqual(['c', 'a', 'd']);
  });

  it('lets weak words neither lift a row nor stand in for it, and still shows it', () => {
    const lists = found({ a: 0.9, b: 0.8, c: 0.7 }, ['d', 'c', 'e']);
    const scored = { ...lists, keyword: lists.keyword.map((hit, index) => ({ ...hit, score: [0.4, 0.19, 0.1][index]! })) };
    expect(idsOf(combine(lists, OPTIONS))[0]).toBe('c');
    expect(combine(scored, OPTIONS).map(({ id, scores }) => [id, scores?.keyword?.rank ?? null])).toEqual([
      ['a', null],
      ['d', 1],
      ['b', null],
      ['c', 2],
      ['e', 3],
    ]);
  });

  it('does not let a list count whose best row has hardly a word', () => {
    const lists = found({ a: 0.9, b: 0.8 }, ['c', 'b']);
    const order = (best: number) => idsOf(combine({ ...lists, keyword: lists.keyword.map((hit) => ({ ...hit, score: best })) }, OPTIONS));
    expect(order(0.1)).toEqual(['b', 'a', 'c']);
    expect(order(0.099)).toEqual(['a', 'b', 'c']);
    // Where nothing else was found, it is what there is.
    const words = combine(
      {
        ...found({}, ['c', 'b']),
        keyword: [
          { id: 'c', score: 0.05 },
          { id: 'b', score: 0.01 },
        ],
      },
      OPTIONS,
    );
    expect(words.map(({ scores }) => scores?.fused)).toEqual([1 / 61, 1 / 62]);
  });

  it('asks more of the words where the vectors part the rows', () => {
    const order = (last: number, best: number) => {
      const lists = found({ a: 0.9, b: 0.8, d: last }, ['c', 'b']);
      return idsOf(combine({ ...lists, keyword: lists.keyword.map((hit) => ({ ...hit, score: best })) }, OPTIONS));
    };
    expect(order(0.5, 0.1)).toEqual(['b', 'a', 'c', 'd']);
    expect(order(0.49, 0.199)).toEqual(['a', 'b', 'd', 'c']);
    expect(order(0.49, 0.2)).toEqual(['b', 'a', 'c', 'd']);
    // What counts is the last place that counts, not the end of a longer list.
    const many = Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`v${index}`, index < 20 ? 0.9 - index / 100 : 0.1]));
    const lists = found(many, ['c', 'v1']);
    expect(idsOf(combine({ ...lists, keyword: lists.keyword.map((hit) => ({ ...hit, score: 0.15 })) }, OPTIONS))[0]).toBe('v1');
  });

  it('leaves out, and gives no rank to, rows that are gone', () => {
    const lists = found({}, ['a', 'b']);
    const hits = combine({ ...lists, rows: rowsOf('b') }, OPTIONS);
    expect(hits).toMatchObject([{ id: 'b', rank: 1, scores: { keyword: { rank: 1 } } }]);
  });

  it('keeps the best of each group, then cuts', () => {
    const lists = found({ a1: 0.9, a2: 0.8, b1: 0.7, a3: 0.6, c1: 0.5 }, []);
    const grouping = { maximum: 1, groupOf: (row: { group: string }) => row.group };
    expect(combine(lists, { ...OPTIONS, topK: 2, grouping }).map(({ id, rank }) => [id, rank])).toEqual([
      ['a1', 1],
      ['b1', 2],
    ]);
  });
});

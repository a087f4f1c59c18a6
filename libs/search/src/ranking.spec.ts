import { rank, roundSimilarity } from './ranking.js';

const rowsOf = (...ids: string[]) => new Map(ids.map((id) => [id, { id, group: id[0]! }]));
const idsOf = (hits: ReturnType<typeof rank>) => hits.map(({ id }) => id);

describe('roundSimilarity', () => {
  it.each([
    [0.73124, 0.7312],
    [0.73125, 0.7313],
    [1.00000004, 1],
    [-0.73126, -0.7313],
    [0.00004, 0],
    [-0.00001, 0],
  ])('%d becomes %d', (score, similarity) => expect(Object.is(roundSimilarity(score), similarity)).toBe(true));
});

describe('rank', () => {
  it('orders by similarity, then by id, and numbers from 1', () => {
    const hits = rank(
      [
        { id: 'c', score: 0.5 },
        { id: 'b', score: 0.9 },
        { id: 'a', score: 0.5 },
      ],
      rowsOf('a', 'b', 'c'),
      { topK: 5 },
    );
    expect(hits.map(({ id, similarity, rank: place }) => [id, similarity, place])).toEqual([
      ['b', 0.9, 1],
      ['a', 0.5, 2],
      ['c', 0.5, 3],
    ]);
  });

  it('treats scores that look equal as equal', () => {
    expect(
      idsOf(
        rank(
          [
            { id: 'b', score: 0.500004 },
            { id: 'a', score: 0.500001 },
          ],
          rowsOf('a', 'b'),
          { topK: 5 },
        ),
      ),
    ).toEqual(['a', 'b']);
  });

  it('leaves out points without a row and gives no gaps', () => {
    const hits = rank(
      [
        { id: 'a', score: 0.9 },
        { id: 'gone', score: 0.8 },
        { id: 'b', score: 0.7 },
      ],
      rowsOf('a', 'b'),
      { topK: 5 },
    );
    expect(hits.map((hit) => [hit.id, hit.rank])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('keeps at most top_k', () => {
    expect(
      idsOf(
        rank(
          [
            { id: 'a', score: 0.1 },
            { id: 'b', score: 0.2 },
          ],
          rowsOf('a', 'b'),
          { topK: 1 },
        ),
      ),
    ).toEqual(['b']);
  });
});

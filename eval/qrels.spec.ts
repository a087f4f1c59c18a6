import { parseQrels } from './qrels.js';

const parse = (text: string) => parseQrels('r', Buffer.from(text), new Set(['a', 'b']));
const plain = (text: string) => Object.fromEntries([...parse(text)].map(([query, relevant]) => [query, Object.fromEntries(relevant)]));

describe('parseQrels', () => {
  it.each([
    [
      'JSON Lines',
      '{"query":"a","document":"x","relevance":3}\n{"query":"a","document":"y","relevance":1}\n{"query":"b","document":"x","relevance":0}',
    ],
    ['BEIR', 'query-id\tcorpus-id\tscore\na\tx\t3\na\ty\t1\nb\tx\t0\n'],
    ['TREC', 'a 0 x 3\na\t0\ty\t1\nb Q0 x -1\n'],
  ])('reads %s, and takes a grade below 1 for no judgement', (_, text) => {
    expect(plain(text)).toEqual({ a: { x: 3, y: 1 }, b: {} });
  });

  it('keeps blanks inside the ids of BEIR', () => {
    expect(plain('query-id\tcorpus-id\tscore\na\tx y\t1')).toEqual({ a: { 'x y': 1 } });
  });

  it.each([
    ['an unknown query', '{"query":"c","document":"x","relevance":1}', 'r:1: judges c, which is not among the queries'],
    ['a grade that is no whole number', '{"query":"a","document":"x","relevance":1.5}', 'r:1: needs a whole number as relevance, not 1.5'],
    ['a grade that is a text', '{"query":"a","document":"x","relevance":"1"}', 'r:1: needs a whole number as relevance, not "1"'],
    ['no grade', '{"query":"a","document":"x"}', 'r:1: needs a whole number as relevance'],
    ['a document that is a number', '{"query":"a","document":7,"relevance":1}', 'r:1: needs "query" and "document"'],
    ['a pair judged twice', 'a 0 x 1\na 0 y 1\na 0 x 2', 'r:3: judges x for a a second time'],
    ['a broken grade of TREC', 'a 0 x 1\na 0 y high', 'r:2: needs a whole number as relevance, not "high"'],
    ['an exponent', 'a 0 x 1e1', 'r:1: needs a whole number as relevance, not "1e1"'],
    ['a line of TREC that is too short', 'a 0 x 1\na 0 y', 'r:2: has 3 columns instead of 4'],
    ['BEIR without a header', 'a\tx\t1\n', 'r:1: has no header'],
    ['a header alone', 'query-id\tcorpus-id\tscore\n', 'r has a header and no judgement'],
    ['a line of BEIR that is too long', 'query-id\tcorpus-id\tscore\na\tx\t1\t2', 'r:2: has 4 columns instead of 3'],
    ['five columns', 'a 0 x 1 2', 'r:1: has 5 columns'],
    ['an empty file', '', 'r is empty'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

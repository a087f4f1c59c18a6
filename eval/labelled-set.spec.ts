import { joinLabelledSet, loadLabelledSet } from './labelled-set.js';

const join = (queries: string, qrels: string) => joinLabelledSet('q', Buffer.from(queries), 'r', Buffer.from(qrels));

describe('a labelled set', () => {
  it('joins queries with their relevant documents and counts those that have none', () => {
    expect(join('a\toak\nb\tash\nc\telm\n', 'c 0 x 2\nb 0 x 0\na 0 y 1\n')).toEqual({
      queries: [
        { id: 'a', text: 'oak', relevant: new Map([['y', 1]]) },
        { id: 'c', text: 'elm', relevant: new Map([['x', 2]]) },
      ],
      unjudged: 1,
    });
  });

  it('is refused when no judgement is positive', () => {
    expect(() => join('a\toak\n', 'a 0 x 0\n')).toThrow('r names no relevant document');
  });

  it('says which file is missing', () => {
    expect(() => loadLabelledSet('absent.jsonl', 'absent.txt')).toThrow('absent.jsonl cannot be read (ENOENT)');
  });
});

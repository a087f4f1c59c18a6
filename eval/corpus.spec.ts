import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseCorpus } from './corpus.js';

const parse = (set: 'projects' | 'documents', text: string) => parseCorpus(set, 'c', Buffer.from(text));
const seed = (name: string) => readFileSync(fileURLToPath(new URL(`../seed/${name}.json`, import.meta.url)));

describe('parseCorpus', () => {
  it('reads the sample data', () => {
    expect(parseCorpus('projects', 'p', seed('projects')).rows).toHaveLength(162);
    const { collection, rows } = parseCorpus('documents', 'd', seed('documents'));
    expect(collection.name).toBe('craft-faq');
    expect(rows[0]).toMatchObject({ external_id: 'FAQ-0001', kind: 'faq' });
  });

  it('reads JSON Lines of rows as they are', () => {
    const row = { external_id: 'a', title: 't', content: 'c' };
    expect(parse('documents', `${JSON.stringify(row)}\n`)).toEqual({
      collection: { name: 'corpus', description: expect.any(String) },
      rows: [row],
    });
  });

  it.each([
    ['documents', { external_id: 'a', title: 'Oak', content: 'Oak is hard.' }],
    ['projects', { external_id: 'a', name: 'Oak', description: 'Oak is hard.' }],
  ] as const)('reads a corpus of BEIR as %s', (set, row) => {
    expect(parse(set, '{"_id":"a","title":"Oak","text":"Oak is hard.","metadata":{}}\n').rows).toEqual([row]);
  });

  it('takes the beginning of the text where BEIR has no title', () => {
    expect(parse('documents', `{"_id":"a","title":"","text":"${'long '.repeat(40)}"}`).rows[0]).toMatchObject({
      title: 'long '.repeat(16),
    });
  });

  it.each([
    ['a row without an id', '{"external_id":"a"}\n{"title":"t"}\n', 'c:2: has no id in row 2'],
    ['a number among the rows', '[{"external_id":"a"},\n7]', 'c has no id in row 2'],
    ['nothing among the rows', '{"documents":[null]}', 'c has no id in row 1'],
    ['a document of BEIR without a text', '{"_id":"a","title":"t"}', 'c:1: needs "text"'],
    ['an id given twice', '{"_id":"a","text":"t"}\n\n{"_id":"a","text":"u"}\n', 'c:3: gives the row a a second time'],
    ['a line that is no JSON', '{"external_id":"a"}\nb\n', 'c:2: is not JSON'],
    ['an empty file', '\n', 'c is empty'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse('documents', text)).toThrow(message);
  });
});

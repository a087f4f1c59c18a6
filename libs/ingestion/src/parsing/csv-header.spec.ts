import { detectDelimiter, readHeader, type CsvFields } from './csv-header.js';
import { UnreadableFileError } from './read-row.js';

const FIELDS: CsvFields = {
  types: new Map([
    ['title', 'text'],
    ['content', 'text'],
  ]),
  aliases: new Map([
    ['question', 'title'],
    ['answer', 'content'],
  ]),
  required: ['title', 'content'],
  readOnly: ['id', 'version'],
};
const read = (...names: string[]) => readHeader(names, FIELDS, 1);

describe('detectDelimiter', () => {
  it.each([
    ['a,b,c', ','],
    ['a;b;c', ';'],
    ['a\tb', '\t'],
    ['"a;b;c",d', ','],
    ['a;b,c;d', ';'],
    ['a', ','],
    ['', ','],
    ['a,b;c', ','],
  ])('%j has %j', (header, delimiter) => {
    expect(detectDelimiter(header)).toBe(delimiter);
  });
});

describe('readHeader', () => {
  it('finds fields by name and by other names for them', () => {
    expect(read('content', ' title ')).toEqual({ columns: ['content', 'title'], problems: [] });
    expect(read('question', 'answer')).toEqual({ columns: ['title', 'content'], problems: [] });
    // The own name counts, whichever comes first.
    expect(read('question', 'title', 'content')).toEqual({
      columns: [null, 'title', 'content'],
      problems: [expect.objectContaining({ pointer: '/question', code: 'duplicate-column' })],
    });
  });

  it('reports what it does not know, and what is there twice', () => {
    const { columns, problems } = read('title', 'content', 'toString', 'question', 'a/b~c', '');
    expect(columns).toEqual(['title', 'content', null, null, null, null]);
    expect(problems.map(({ pointer, code }) => [pointer, code])).toEqual([
      ['/toString', 'unknown-column'],
      ['/question', 'duplicate-column'],
      ['/a~1b~0c', 'unknown-column'],
      ['/', 'unknown-column'],
    ]);
    expect(read('title', 'content', '🪵'.repeat(300)).problems[0]!.pointer).toBe(`/${'🪵'.repeat(199)}…`);
  });

  it('leaves out the read-only columns of an export, but only where all of them are there', () => {
    expect(read('id', 'version', 'title', 'content')).toEqual({ columns: [null, null, 'title', 'content'], problems: [] });
    expect(read('id', 'title', 'content').problems).toEqual([expect.objectContaining({ pointer: '/id', code: 'unknown-column' })]);
  });

  it('gives up a file with more columns than anybody means', () => {
    const names = (count: number) => ['title', 'content', ...Array.from({ length: count - 2 }, (_, n) => `c${n}`)];
    expect(read(...names(1_000)).problems).toHaveLength(998);
    expect(() => readHeader(names(500_000), FIELDS, 1)).toThrow('500000 columns');
  });

  it('gives up a file without a column that every row needs', () => {
    expect(() => read('title')).toThrow(UnreadableFileError);
    expect(() => read('title', 'x')).toThrow('content');
  });
});

import { fileTypeOf } from './file-type.js';

describe('fileTypeOf', () => {
  it.each([
    ['a.ndjson', undefined, 'ndjson', 'application/x-ndjson', null],
    ['a.JSONL', undefined, 'ndjson', 'application/x-ndjson', null],
    ['dir.csv/a.csv', undefined, 'csv', 'text/csv', null],
    ['a.tsv', undefined, 'csv', 'text/csv', 'tab'],
    ['README.md', undefined, 'markdown', 'text/markdown', null],
    ['a.txt', 'csv', 'csv', 'text/csv', null],
    ['-', 'ndjson', 'ndjson', 'application/x-ndjson', null],
  ] as const)('%s, said to be %s', (name, given, format, contentType, delimiter) => {
    expect(fileTypeOf(name, given)).toEqual({ format, contentType, delimiter });
  });

  it.each(['-', 'a', 'a.xlsx', '.csv'])('asks what %s is', (name) => {
    expect(() => fileTypeOf(name, undefined)).toThrow('--format');
  });
});

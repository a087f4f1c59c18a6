import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { cellValue, csvCell, escapeCell, unescapeCell } from './csv-cells.js';

const SEED = 20261125;
const STARTS = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
const hostile = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom("'", ...STARTS, '"', ',', ';', 'a', ' ') }),
  fc.constantFrom(
    '=1+1',
    "'=1",
    "''=1",
    "=cmd|' /C calc'!A0",
    '@SUM(1)',
    '-5',
    '+49 89',
    "'",
    "'Tis",
    '\t=1',
    '"',
    '',
    '=HYPERLINK("x","y")',
  ),
);

describe('cells of exports', () => {
  it.each(STARTS)('put an apostrophe before a text that begins with %j', (start) => {
    expect(escapeCell(`${start}1`)).toBe(`'${start}1`);
    expect(csvCell(`${start}1`)).toBe(`"'${start}1"`);
  });

  it.each(['a', "'Tis", '1', ' =1', "'", "''", 'a=b', ''])('leave %j as it is', (text) => {
    expect(escapeCell(text)).toBe(text);
    expect(unescapeCell(text)).toBe(text);
  });

  it(`begin with no formula, and come back as they were (seed ${SEED})`, () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const cell = escapeCell(text);
        expect(STARTS.some((start) => cell.startsWith(start))).toBe(false);
        expect(unescapeCell(cell)).toBe(text);
      }),
      { seed: SEED, numRuns: 3_000 },
    );
  });

  it(`survive another reader of CSV (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 5 }), (texts) => {
        const [record] = parse(`${texts.map((text) => csvCell(text)).join(',')}\r\n`, { record_delimiter: '\r\n' }) as string[][];
        expect(record!.map((cell) => unescapeCell(cell))).toEqual(texts);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('have numbers without quotes, and nothing for null', () => {
    expect([csvCell(12.5), csvCell(0), csvCell(null)]).toEqual(['12.5', '0', '']);
  });
});

describe('cells of imports', () => {
  it.each([
    ['', 'text', undefined],
    ['', 'number', undefined],
    ['a', 'text', 'a'],
    ["'=1", 'text', '=1'],
    [' a ', 'text', ' a '],
    ['12.5', 'number', 12.5],
    [' 3 ', 'number', 3],
    ['-1', 'number', -1],
    ['12,5', 'number', '12,5'],
    ['1e3', 'number', '1e3'],
    ['0x10', 'number', '0x10'],
    ['NaN', 'number', 'NaN'],
    ['9'.repeat(400), 'number', '9'.repeat(400)],
    ['{"a":[1]}', 'json', { a: [1] }],
    ['{"a":1,"a":2}', 'json', '{"a":1,"a":2}'],
    ['{', 'json', '{'],
  ] as const)('%j as %s is %j', (cell, type, value) => {
    expect(cellValue(cell, type)).toEqual(value);
  });
});

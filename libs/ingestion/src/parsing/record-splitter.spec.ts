import fc from 'fast-check';
import { RecordSplitter, type RawRecord } from './record-splitter.js';

const SEED = 20261125;
const COMMA = [0x2c];

function split(text: string, options: { maxBytes?: number; delimiters?: number[] | null; chunkSizes?: readonly number[] } = {}) {
  const { maxBytes = 1_000, delimiters = null, chunkSizes = [1_000_000] } = options;
  const splitter = new RecordSplitter({ maxBytes, from: { offset: 0, line: 1 }, delimiters });
  const records: RawRecord[] = [];
  const drain = (): void => {
    for (let record = splitter.next(); record !== null; record = splitter.next()) records.push(record);
  };
  const bytes = Buffer.from(text);
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = chunkSizes[n % chunkSizes.length]!;
    splitter.append(bytes.subarray(at, at + size));
    at += size;
    drain();
  }
  splitter.finish();
  drain();
  return records.map(({ bytes: record, line, next, defect }) => ({
    text: record.toString(),
    line,
    offset: next.offset,
    nextLine: next.line,
    defect,
  }));
}
const textsOf = (...parameters: Parameters<typeof split>) => split(...parameters).map(({ text, line, defect }) => [line, defect ?? text]);

describe('RecordSplitter', () => {
  it('cuts lines, with either line break, without blank ones, and the last one without any', () => {
    expect(split('a\r\n\nbc\n\r\nd')).toEqual([
      { text: 'a', line: 1, offset: 3, nextLine: 2, defect: null },
      { text: 'bc', line: 3, offset: 7, nextLine: 4, defect: null },
      { text: 'd', line: 5, offset: 10, nextLine: 5, defect: null },
    ]);
    expect(split('')).toEqual([]);
    expect(split('\n\n')).toEqual([]);
  });

  it('keeps line breaks inside quotes in the record', () => {
    expect(textsOf('a,"b\nc"\nd,"e""\n""f"\n"g"', { delimiters: COMMA })).toEqual([
      [1, 'a,"b\nc"'],
      [3, 'd,"e""\n""f"'],
      [5, '"g"'],
    ]);
    // A quote in the middle of a cell opens nothing.
    expect(textsOf('5" pipe,x\ny', { delimiters: COMMA })).toEqual([
      [1, '5" pipe,x'],
      [2, 'y'],
    ]);
  });

  it('gives up a line that is too long, and goes on with the next', () => {
    for (const chunkSizes of [[1], [7], [1_000]]) {
      expect(textsOf(`a\n${'x'.repeat(50)}\nb\n${'y'.repeat(11)}`, { maxBytes: 10, chunkSizes })).toEqual([
        [1, 'a'],
        [2, 'too-long'],
        [3, 'b'],
        [4, 'too-long'],
      ]);
    }
    expect(textsOf('1234567890\r\n', { maxBytes: 10 })).toEqual([[1, '1234567890']]);
  });

  it('goes on with the next line when a quote is never closed', () => {
    for (const chunkSizes of [[1], [5], [1_000]]) {
      const options = { delimiters: COMMA, maxBytes: 20, chunkSizes };
      expect(textsOf('a,"b\nc,d\ne,f', options)).toEqual([
        [1, 'quote-not-closed'],
        [2, 'c,d'],
        [3, 'e,f'],
      ]);
      expect(textsOf(`a,"b\n${'c,d\n'.repeat(12)}`, options)).toEqual([
        [1, 'quote-not-closed'],
        ...Array.from({ length: 12 }, (_, n) => [n + 2, 'c,d']),
      ]);
      // The opening quote of a later cell closes it: text behind that tells.
      expect(textsOf('a,"b\nc,"d"\ne', options)).toEqual([
        [1, 'quote-not-closed'],
        [2, 'c,"d"'],
        [3, 'e'],
      ]);
    }
    expect(textsOf(`"${'x'.repeat(50)}\nb`, { delimiters: COMMA, maxBytes: 10 })).toEqual([
      [1, 'too-long'],
      [2, 'b'],
    ]);
  });

  const anyText = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', 'ü', '""', '\r\n', 'aaaaaaaa'), maxLength: 60 });

  it(`gives the same records however the bytes arrive, in one piece or many, and from any of them on (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (text, chunkSizes, isCsv) => {
          const options = { delimiters: isCsv ? COMMA : null, maxBytes: 1_000 };
          const whole = split(text, options);
          expect(split(text, { ...options, chunkSizes })).toEqual(whole);
          const [first] = whole;
          if (first === undefined) return;
          const rest = split(Buffer.from(text).subarray(first.offset).toString(), options);
          expect(rest.map(({ text: record, defect }) => [record, defect])).toEqual(
            whole.slice(1).map(({ text: record, defect }) => [record, defect]),
          );
          const lines = text.slice(0, text.length).split('\n').length;
          expect(whole.at(-1)!.nextLine).toBeLessThanOrEqual(lines);
          expect(whole.every(({ line }, index) => index === 0 || line > whole[index - 1]!.line)).toBe(true);
        },
      ),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it(`never keeps more than a record and a chunk (seed ${SEED})`, () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 12 }), fc.boolean(), (text, maxBytes, isCsv) => {
        for (const record of split(text, { maxBytes, delimiters: isCsv ? COMMA : null, chunkSizes: [3] })) {
          expect(Buffer.byteLength(record.text)).toBeLessThanOrEqual(maxBytes);
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('goes on line by line where quote after quote is never closed, and with several lines behind that', () => {
    const count = 20;
    const records = textsOf(`${'a","b\n'.repeat(count)}x,y\nc,"d"\n"e\nf"\n${'g'.repeat(30)}\n"h\ni"\n`, {
      delimiters: COMMA,
      maxBytes: 100,
    });
    expect(records.slice(0, count)).toEqual(Array.from({ length: count }, (_, n) => [n + 1, 'quote-not-closed']));
    expect(records.slice(count, count + 2)).toEqual([
      [count + 1, 'x,y'],
      [count + 2, 'c,"d"'],
    ]);
    expect(records.at(-1)).toEqual([count + 6, '"h\ni"']);
  });

  const MAX_BYTES_BY_DEFAULT = 1_048_576;
  it.each([
    ['quotes of all kinds', `${'"x\n'.repeat(50_000)}${'"'.repeat(300_000)}\n${'"a"b\n'.repeat(50_000)}`, 10_000],
    ['quotes that never close, and are never torn', 'a","b\n'.repeat(220_000), MAX_BYTES_BY_DEFAULT],
    ['quotes that are torn on every line', 'a"b,"x\n'.repeat(200_000), MAX_BYTES_BY_DEFAULT],
    ['quotes that are torn far behind', `${'a","b\n'.repeat(100_000)}"x"y\n`.repeat(2), MAX_BYTES_BY_DEFAULT],
    ['a quote that opens on every line, and text behind', `${'"x\n'.repeat(400_000)}`, MAX_BYTES_BY_DEFAULT],
  ])('takes time in proportion to the file: %s', (_name, hostile, maxBytes) => {
    const startedAtMs = performance.now();
    split(hostile, { delimiters: COMMA, maxBytes, chunkSizes: [262_144] });
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  });
});

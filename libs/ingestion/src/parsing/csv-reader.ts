import { isUtf8 } from 'node:buffer';
import { cellValue } from './csv-cells.js';
import { detectDelimiter, readHeader, type CsvFields } from './csv-header.js';
import { csvCells, type CsvCells } from './csv-text.js';
import { NOT_UTF8_DETAIL } from './file-encoding.js';
import { lineProblemOf } from './line-defects.js';
import { UnreadableFileError, type CsvLayout, type LineProblem, type ReadPosition, type ReadRow, type RowReader } from './read-row.js';
import { RecordSplitter, type RawRecord } from './record-splitter.js';

/** What is taken apart in one call, before the first row of it is handed on: all that waits for this process waits for it. */
const GROUP_ROWS = 256;
const GROUP_BYTES = 65_536;
const ANY_DELIMITER = [',', ';', '\t'];

export interface CsvReaderOptions {
  readonly maxLineBytes: number;
  /** `null` = found out from the header. */
  readonly delimiter: string | null;
  readonly fields: CsvFields;
}

/** A CSV file (RFC 4180) whose first line names the columns. */
export class CsvReader implements RowReader {
  private readonly splitter: RecordSplitter;
  private layout: CsvLayout | null;
  private problems: LineProblem[] = [];

  constructor(
    from: ReadPosition,
    private readonly options: CsvReaderOptions,
  ) {
    this.layout = from.csv ?? null;
    const delimiter = this.layout?.delimiter ?? options.delimiter;
    this.splitter = new RecordSplitter({
      maxBytes: options.maxLineBytes,
      from,
      delimiters: delimiter === null ? codesOf(ANY_DELIMITER) : codesOf([delimiter]),
    });
  }

  *read(chunk: Buffer): Iterable<ReadRow> {
    this.splitter.append(chunk);
    yield* this.rows();
  }

  *finish(): Iterable<ReadRow> {
    this.splitter.finish();
    yield* this.rows();
    if (this.layout === null) throw noHeader(1, 'has no line that names the columns');
  }

  takeProblems(): LineProblem[] {
    const problems = this.problems;
    this.problems = [];
    return problems;
  }

  private *rows(): Iterable<ReadRow> {
    this.layout ??= this.readLayout();
    if (this.layout === null) return;
    for (;;) {
      const group = this.takeGroup();
      if (group.length === 0) return;
      yield* rowsOf(group, this.layout, this.options.fields);
    }
  }

  /** A record with a defect ends it: far more may have been looked at than is given up. */
  private takeGroup(): RawRecord[] {
    const group: RawRecord[] = [];
    for (let sizeBytes = 0; group.length < GROUP_ROWS && sizeBytes < GROUP_BYTES;) {
      const record = this.splitter.next();
      if (record === null) break;
      group.push(record);
      if (record.defect !== null) break;
      sizeBytes += record.bytes.length;
    }
    return group;
  }

  private readLayout(): CsvLayout | null {
    const header = this.splitter.next();
    if (header === null) return null;
    const { bytes, line } = header;
    if (header.defect !== null || !isUtf8(bytes)) throw noHeader(line, lineProblemOf(header)?.detail ?? NOT_UTF8_DETAIL);
    const delimiter = this.options.delimiter ?? detectDelimiter(bytes.toString('utf8'));
    this.splitter.narrow(codesOf([delimiter]));
    const [names] = csvCells([bytes], delimiter);
    if (names === null || names === undefined) throw noHeader(line, 'has quotes that make no sense');
    const { columns, problems } = readHeader(names, this.options.fields, line);
    this.problems = problems;
    return { delimiter, columns };
  }
}

function* rowsOf(group: readonly RawRecord[], layout: CsvLayout, fields: CsvFields): Iterable<ReadRow> {
  const readable = group.filter(({ bytes, defect }) => defect === null && isUtf8(bytes));
  const cells = csvCells(
    readable.map(({ bytes }) => bytes),
    layout.delimiter,
  );
  const cellsOf = new Map<RawRecord, CsvCells>(readable.map((record, index) => [record, cells[index] ?? null]));
  for (const record of group) {
    const row = { line: record.line, next: { ...record.next, csv: layout }, sizeBytes: record.bytes.length };
    const problem = lineProblemOf(record) ?? problemOf(record.line, cellsOf.get(record), layout);
    yield problem === null
      ? { ...row, value: valueOf(cellsOf.get(record)!, layout, fields), problem: null }
      : { ...row, value: null, problem };
  }
}

function problemOf(line: number, cells: CsvCells | undefined, { columns }: CsvLayout): LineProblem | null {
  if (cells === undefined) return { line, pointer: '', code: 'not-utf8', detail: NOT_UTF8_DETAIL };
  if (cells === null)
    return { line, pointer: '', code: 'bad-quotes', detail: 'has a quote in the middle of a cell, or text behind a closing quote' };
  if (cells.length === columns.length) return null;
  return { line, pointer: '', code: 'wrong-column-count', detail: `has ${cells.length} cells, but the header has ${columns.length}` };
}

/** Names are those of the target, never of the file: a column called __proto__ names nothing. */
function valueOf(cells: readonly string[], { columns }: CsvLayout, { types }: CsvFields): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  columns.forEach((field, index) => {
    const read = field === null ? undefined : cellValue(cells[index]!, types.get(field)!);
    if (read !== undefined) value[field!] = read;
  });
  return value;
}

function noHeader(line: number, detail: string): UnreadableFileError {
  return new UnreadableFileError({ line, pointer: '', code: 'no-header', detail });
}

function codesOf(delimiters: readonly string[]): number[] {
  return delimiters.map((delimiter) => delimiter.charCodeAt(0));
}

import { parseStrictJson } from '#rules';
import { NOT_UTF8_DETAIL } from './file-encoding.js';
import { lineProblemOf } from './line-defects.js';
import type { LineProblem, ReadPosition, ReadRow, RowReader } from './read-row.js';
import { RecordSplitter, type RawRecord } from './record-splitter.js';

/** Newline-delimited JSON: one value per line, parsed as strictly as the body of a request. */
export class NdjsonReader implements RowReader {
  private readonly splitter: RecordSplitter;

  constructor(from: ReadPosition, maxLineBytes: number) {
    this.splitter = new RecordSplitter({ maxBytes: maxLineBytes, from, delimiters: null });
  }

  *read(chunk: Buffer): Iterable<ReadRow> {
    this.splitter.append(chunk);
    yield* this.rows();
  }

  *finish(): Iterable<ReadRow> {
    this.splitter.finish();
    yield* this.rows();
  }

  takeProblems(): LineProblem[] {
    return [];
  }

  private *rows(): Iterable<ReadRow> {
    for (let record = this.splitter.next(); record !== null; record = this.splitter.next()) yield rowOf(record);
  }
}

function rowOf(record: RawRecord): ReadRow {
  const { line, next, bytes } = record;
  const row = { line, next, sizeBytes: bytes.length };
  const broken = lineProblemOf(record);
  if (broken !== null) return { ...row, value: null, problem: broken };
  const { value, defect } = parseStrictJson(bytes);
  if (defect === null) return { ...row, value, problem: null };
  const detail = defect.code === 'not-utf8' ? NOT_UTF8_DETAIL : defect.detail;
  return { ...row, value: null, problem: { line, pointer: '', code: defect.code, detail } };
}

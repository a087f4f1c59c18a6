import { isUtf8 } from 'node:buffer';
import { NOT_UTF8_DETAIL } from './file-encoding.js';
import { firstHeading } from './first-heading.js';
import type { LineProblem, ReadPosition, ReadRow, RowReader } from './read-row.js';

export interface WholeFileReaderOptions {
  readonly isMarkdown: boolean;
  readonly maxBytes: number;
  readonly fileName: string | null;
}

/** A file that is one document: its title is the first heading, or the name of the file; its external id is the name, so that the same file replaces it. */
export class WholeFileReader implements RowReader {
  private parts: Buffer[] = [];
  private length = 0;

  constructor(
    private readonly from: ReadPosition,
    private readonly options: WholeFileReaderOptions,
  ) {}

  /** Nothing is known before the end; of a file that is too long no more is kept than shows it. */
  *read(chunk: Buffer): Iterable<ReadRow> {
    this.length += chunk.length;
    if (this.length <= this.options.maxBytes) this.parts.push(chunk);
    else this.parts = [];
  }

  *finish(): Iterable<ReadRow> {
    // A run before this one has read the document, and was ended before it could say so.
    if (this.from.line > 1) return;
    const next = { offset: this.from.offset + this.length, line: 2 };
    const row = { line: 1, next, sizeBytes: this.length };
    const problem = this.findProblem();
    if (problem !== null) {
      yield { ...row, value: null, problem };
      return;
    }
    const text = Buffer.concat(this.parts).toString('utf8');
    yield { ...row, value: this.documentOf(text), problem: null };
  }

  takeProblems(): LineProblem[] {
    return [];
  }

  private documentOf(content: string): Record<string, unknown> {
    const { fileName, isMarkdown } = this.options;
    const heading = isMarkdown ? firstHeading(content) : null;
    const title = heading ?? fileName?.replace(/\.[^.]+$/, '');
    return { ...(title === undefined ? {} : { title }), content, ...(fileName === null ? {} : { external_id: fileName }) };
  }

  private findProblem(): LineProblem | null {
    const whole = { line: 1, pointer: '' };
    if (this.length > this.options.maxBytes)
      return {
        ...whole,
        code: 'too-long',
        detail: `has more than ${this.options.maxBytes} bytes, which is the most for one document (IMPORT_MAX_LINE_BYTES)`,
      };
    return isUtf8(Buffer.concat(this.parts)) ? null : { ...whole, code: 'not-utf8', detail: NOT_UTF8_DETAIL };
  }
}

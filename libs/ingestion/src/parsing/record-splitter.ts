/** One record of a file, still as bytes and without its line break. */
export interface RawRecord {
  /** Empty when there is a defect. */
  readonly bytes: Buffer;
  /** Line on which it begins, from 1. */
  readonly line: number;
  /** Where the next record begins: position in the file, and line. */
  readonly next: { readonly offset: number; readonly line: number };
  readonly defect: 'too-long' | 'quote-not-closed' | null;
}

export interface RecordSplitterOptions {
  /** Longest record, without its line break. */
  readonly maxBytes: number;
  /** Where the bytes begin that are appended first. */
  readonly from: { readonly offset: number; readonly line: number };
  /** Of a CSV file: bytes that end a cell. Line breaks inside quoted cells do not end a record then. `null`: each line is a record. */
  readonly delimiters: readonly number[] | null;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const QUOTE = 0x22;
const NOTHING = Buffer.alloc(0);
/** A quote that is never closed is found out far behind it, and its line alone is given up. So often the same bytes are looked at again for other lines. */
const LOOKS_AGAIN_MAXIMUM = 8;
/** What {@link RecordSplitter.findEnd} says when there is no end yet, or cannot be one. */
const NO_END = -1;
const TORN = -2;

/** Where in a cell the scan of a CSV record is. */
const CELL_START = 0;
const IN_CELL = 1;
const IN_QUOTES = 2;
const BEHIND_QUOTE = 3;

/**
 * Cuts a stream of bytes into records, keeps no more than one record and one chunk, and never loses more than a record to a defect: behind a line that
 * is too long it goes on with the next line, and behind a quote that is never closed with the line after the one with the quote. Where quotes are found out
 * again and again to be never closed, up to the furthest byte that was looked at no record has several lines: the work stays in proportion to the file.
 *
 * Blank lines are no records.
 */
export class RecordSplitter {
  private buffer: Buffer = NOTHING;
  /** Bytes of the buffer that have been looked at already. */
  private scanned = 0;
  private cellState = CELL_START;
  private offset: number;
  private line: number;
  /** Whether quotes have spanned a line break. */
  private hasBreak = false;
  /**
   * Whether the record may not span a line break: text follows a closing quote, which it may not, so the quote was the opening one of another cell, and an
   * earlier one was never closed; or it begins before {@link singleLinesUntil}.
   */
  private isTorn = false;
  /** The furthest byte that was looked at for a record which was given up then, and how many were before it. */
  private lookedUntil = 0;
  private looksAgain = 0;
  private singleLinesUntil = 0;
  private isSkipping = false;
  private isFinished = false;
  private delimiters: readonly number[] | null;

  constructor(private readonly options: RecordSplitterOptions) {
    ({ offset: this.offset, line: this.line } = options.from);
    this.delimiters = options.delimiters;
  }

  append(chunk: Buffer): void {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
  }

  /** No more bytes will come: what is left is the last record. */
  finish(): void {
    this.isFinished = true;
  }

  /** From the next record on, only these end a cell. */
  narrow(delimiters: readonly number[]): void {
    this.delimiters = delimiters;
  }

  /** The next whole record, or `null` until more is appended. */
  next(): RawRecord | null {
    for (;;) {
      const record = this.take();
      if (record === null || record.bytes.length > 0 || record.defect !== null) return record;
    }
  }

  private take(): RawRecord | null {
    if (this.isSkipping) return this.skip();
    const end = this.findEnd();
    if (end === TORN) return this.rewind();
    if (end !== NO_END) return this.cut(end, end + 1);
    if (this.buffer.length > this.options.maxBytes) return this.giveUp();
    if (!this.isFinished || this.buffer.length === 0) return null;
    return this.cellState === IN_QUOTES ? this.rewind() : this.cut(this.buffer.length, this.buffer.length);
  }

  private findEnd(): number {
    const from = this.scanned;
    this.scanned = this.buffer.length;
    if (this.delimiters === null) return this.buffer.indexOf(LINE_FEED, from);
    const { buffer, delimiters } = this;
    let state = this.cellState;
    for (let index = from; index < buffer.length; index++) {
      const byte = buffer[index]!;
      if (state === IN_QUOTES) {
        if (byte === QUOTE) state = BEHIND_QUOTE;
        else if (byte === LINE_FEED) this.hasBreak = true;
        else continue;
      } else if (byte === LINE_FEED) {
        return index;
      } else if (byte === QUOTE && state !== IN_CELL) {
        state = IN_QUOTES;
      } else {
        const isDelimiter = delimiters.includes(byte);
        if (state === BEHIND_QUOTE && !isDelimiter && byte !== CARRIAGE_RETURN) this.isTorn = true;
        state = isDelimiter ? CELL_START : IN_CELL;
      }
      if (this.isTorn && this.hasBreak) {
        this.scanned = index + 1;
        return TORN;
      }
    }
    this.cellState = state;
    return NO_END;
  }

  /** Makes a record of the bytes before `end`, and goes on at `next`. */
  private cut(end: number, next: number): RawRecord {
    const trimmed = end > 0 && this.buffer[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    const isTooLong = trimmed > this.options.maxBytes;
    return this.advance(next, isTooLong ? NOTHING : this.buffer.subarray(0, trimmed), isTooLong ? 'too-long' : null);
  }

  private giveUp(): RawRecord | null {
    if (this.hasBreak) {
      this.looksAgain = LOOKS_AGAIN_MAXIMUM;
      return this.rewind();
    }
    this.isSkipping = true;
    return this.skip();
  }

  /** Gives up the first line alone of what was looked at. */
  private rewind(): RawRecord {
    this.lookedUntil = Math.max(this.lookedUntil, this.offset + this.scanned);
    if (++this.looksAgain > LOOKS_AGAIN_MAXIMUM) this.singleLinesUntil = this.lookedUntil;
    const found = this.buffer.indexOf(LINE_FEED);
    const end = found < 0 ? this.buffer.length : found;
    return this.advance(found < 0 ? end : end + 1, NOTHING, end > this.options.maxBytes ? 'too-long' : 'quote-not-closed');
  }

  /** Throws the rest of an overlong line away as it comes. */
  private skip(): RawRecord | null {
    const end = this.buffer.indexOf(LINE_FEED);
    if (end < 0 && !this.isFinished) {
      this.offset += this.buffer.length;
      this.buffer = NOTHING;
      this.scanned = 0;
      return null;
    }
    this.isSkipping = false;
    return this.advance(end < 0 ? this.buffer.length : end + 1, NOTHING, 'too-long');
  }

  private advance(length: number, bytes: Buffer, defect: RawRecord['defect']): RawRecord {
    const { line } = this;
    for (let at = this.buffer.indexOf(LINE_FEED); at >= 0 && at < length; at = this.buffer.indexOf(LINE_FEED, at + 1)) this.line++;
    this.offset += length;
    this.buffer = this.buffer.subarray(length);
    this.scanned = 0;
    this.cellState = CELL_START;
    this.hasBreak = false;
    this.isTorn = this.offset < this.singleLinesUntil;
    if (this.offset >= this.lookedUntil) this.looksAgain = 0;
    return { bytes, line, next: { offset: this.offset, line: this.line }, defect };
  }
}

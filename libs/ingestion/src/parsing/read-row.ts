import type { FieldProblem } from '#kernel';

/** Why a line was refused. The pointer leads into the row; empty = the line as a whole. */
export interface LineProblem extends FieldProblem {
  /** From 1, as an editor counts. */
  readonly line: number;
}

/** Where to go on when a run ends early. */
export interface ReadPosition {
  /** Bytes before it. */
  readonly offset: number;
  /** The line that begins there, from 1. */
  readonly line: number;
  /** Of a CSV file, once its header has been read. */
  readonly csv?: CsvLayout;
}

export interface CsvLayout {
  readonly delimiter: string;
  /** The field of each column; `null` = not known here. */
  readonly columns: readonly (string | null)[];
}

/** One row of a file: a value that nobody has judged yet, or the reason why there is none. */
export interface ReadRow {
  readonly line: number;
  readonly value: unknown;
  readonly problem: LineProblem | null;
  /** Everything before this position has been read. */
  readonly next: ReadPosition;
  /** Bytes of the row, for batches of a bounded size. */
  readonly sizeBytes: number;
}

/** The file as a whole cannot be read; nothing of it is written any more. */
export class UnreadableFileError extends Error {
  constructor(readonly problem: LineProblem) {
    super(problem.detail);
    this.name = 'UnreadableFileError';
  }
}

/** Turns the bytes of one file into rows, in order; keeps no more than a record and a chunk. */
export interface RowReader {
  /** @throws UnreadableFileError */
  read(chunk: Buffer): Iterable<ReadRow>;
  /** What is left at the end of the file. @throws UnreadableFileError */
  finish(): Iterable<ReadRow>;
  /** What concerns the file and not a row, found since the last call. */
  takeProblems(): LineProblem[];
}

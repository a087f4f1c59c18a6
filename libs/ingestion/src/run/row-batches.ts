import { fieldProblemsOf, type SchemaIssue } from '#rules';
import { v5 as uuidV5 } from 'uuid';
import type { ImportRow, RowWriter } from '../import-target.js';
import type { CsvFields } from '../parsing/csv-header.js';
import type { LineProblem, ReadPosition, ReadRow } from '../parsing/read-row.js';
import { rowNames } from '../parsing/row-names.js';

/**
 * Rows of one transaction: few enough that a lost one costs little and that its statements do not hold up the searches of the process (500 did, for up to
 * 100 ms), and many enough that its cost does not count.
 */
const BATCH_ROWS = 200;
const BATCH_BYTES = 1_048_576;

/** What one transaction writes. */
export interface RowBatch {
  readonly rows: readonly ImportRow[];
  readonly problems: readonly LineProblem[];
  /** Lines without a row; less than problems, for a line can have several. */
  readonly rejectedLines: number;
  /** Where the file has been read to. */
  readonly next: ReadPosition;
}

/** Gathers the rows of a file into batches, and judges each by the rules of the target. */
export class RowBatcher {
  private rows: ImportRow[] = [];
  private problems: LineProblem[] = [];
  private rejectedLines = 0;
  private sizeBytes = 0;

  constructor(
    private readonly jobId: string,
    private readonly writer: RowWriter,
    private next: ReadPosition,
  ) {}

  /** Adds what concerns the file and not a row: at most a problem for each column. */
  addProblems(problems: readonly LineProblem[]): void {
    this.problems.push(...problems);
  }

  add(row: ReadRow): void {
    this.next = row.next;
    this.sizeBytes += row.sizeBytes;
    const problems = row.problem === null ? this.judge(row) : [row.problem];
    if (problems.length === 0) return;
    this.problems.push(...problems);
    this.rejectedLines++;
  }

  /** Lines that have been added. */
  get size(): number {
    return this.rows.length + this.rejectedLines;
  }

  get isFull(): boolean {
    return this.size >= BATCH_ROWS || this.sizeBytes >= BATCH_BYTES;
  }

  get isEmpty(): boolean {
    return this.rows.length === 0 && this.problems.length === 0;
  }

  /** What has been gathered; the next batch begins empty. */
  take(): RowBatch {
    const { rows, problems, rejectedLines, next } = this;
    this.rows = [];
    this.problems = [];
    this.rejectedLines = 0;
    this.sizeBytes = 0;
    return { rows, problems, rejectedLines, next };
  }

  /** Keeps the row, or says what is wrong with it. */
  private judge({ line, value }: ReadRow): LineProblem[] {
    const candidate = candidateOf(value, this.writer.csv);
    const result = this.writer.schema.safeParse(candidate);
    if (!result.success) {
      const problems = fieldProblemsOf(result.error.issues as unknown as SchemaIssue[], candidate, { type: 'body' });
      return problems.map((problem) => ({ line, ...problem }));
    }
    this.rows.push({ id: uuidV5(String(line), this.jobId), line, fields: result.data });
    return [];
  }
}

/** The problem of a line whose external id the file has named before. */
export function duplicateOf(line: number, before: number): LineProblem {
  return { line, pointer: '/external_id', code: 'duplicate-external-id', detail: `is that of line ${before} already` };
}

/** The row that is meant: other names of fields are replaced by theirs, and read-only fields of an export are left out. */
function candidateOf(value: unknown, fields: CsvFields): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { isLeftOut, fieldOf } = rowNames(new Set(Object.keys(value)), fields);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isLeftOut(name))
      .map(([name, field]: [string, unknown]) => [fieldOf(name), field]),
  );
}

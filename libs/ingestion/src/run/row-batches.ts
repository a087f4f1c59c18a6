import { fieldProblemsOf, type SchemaIssue } from '#rules';
import { v5 as uuidV5 } from 'uuid';
import type { ImportRow, ImportTarget } from '../import-target.js';
import type { LineProblem, ReadPosition, ReadRow } from '../parsing/read-row.js';

/** Rows of one transaction: few enough that a lost one costs little, and many enough that its cost does not count. */
export const BATCH_ROWS = 500;
const BATCH_BYTES = 1_048_576;

/** A row with the line it came from. */
export interface BatchRow extends ImportRow {
  readonly line: number;
  readonly externalId: string | null;
}

/** What one transaction writes. */
export interface RowBatch {
  readonly rows: readonly BatchRow[];
  readonly problems: readonly LineProblem[];
  /** Lines without a row; less than problems, for a line can have several. */
  readonly rejectedLines: number;
  /** Where the file has been read to. */
  readonly next: ReadPosition;
}

/** Gathers the rows of a file into batches, and judges each by the rules of the target. */
export class RowBatcher {
  private rows: BatchRow[] = [];
  private problems: LineProblem[] = [];
  private readonly linesOfIds = new Map<string, number>();
  private rejectedLines = 0;
  private sizeBytes = 0;

  constructor(
    private readonly jobId: string,
    private readonly target: ImportTarget,
    private next: ReadPosition,
  ) {}

  /** Adds what concerns the file and not a row. */
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
    this.linesOfIds.clear();
    return { rows, problems, rejectedLines, next };
  }

  /** Keeps the row, or says what is wrong with it. */
  private judge({ line, value }: ReadRow): LineProblem[] {
    const candidate = withoutReadOnly(value, this.target.csv.readOnly);
    const result = this.target.schema.safeParse(candidate);
    if (!result.success) {
      const problems = fieldProblemsOf(result.error.issues as unknown as SchemaIssue[], candidate, { type: 'body' });
      return problems.map((problem) => ({ line, ...problem }));
    }
    const externalId = this.target.externalIdOf(result.data);
    const before = externalId === null ? undefined : this.linesOfIds.get(externalId);
    if (before !== undefined) return [duplicateOf(line, before)];
    if (externalId !== null) this.linesOfIds.set(externalId, line);
    this.rows.push({ id: uuidV5(String(line), this.jobId), fields: result.data, line, externalId });
    return [];
  }
}

/** The problem of a line whose external id the file has named before. */
export function duplicateOf(line: number, before: number): LineProblem {
  return { line, pointer: '/external_id', code: 'duplicate-external-id', detail: `is that of line ${before} already` };
}

/** An export has read-only fields that no import takes; where all of them are there, the row is one of an export. */
function withoutReadOnly(value: unknown, readOnly: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null || readOnly.length === 0 || !readOnly.every((name) => Object.hasOwn(value, name)))
    return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !readOnly.includes(name)));
}

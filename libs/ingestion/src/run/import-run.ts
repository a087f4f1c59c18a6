import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SqlSession } from '#database';
import type { ImportJob } from '../import-job.js';
import type { PreparedWrite, ResolvedRow, RowWriter, WriteCounts } from '../import-target.js';
import { byteOrderMarkLength } from '../parsing/file-encoding.js';
import { openReader } from '../parsing/open-reader.js';
import { UnreadableFileError, type LineProblem, type ReadRow, type RowReader } from '../parsing/read-row.js';
import type { StagedFiles } from '../staging/staged-files.js';
import type { HeldRun, ImportRunStore, RunProgress } from './import-run.store.js';
import { duplicateOf, RowBatcher, type RowBatch } from './row-batches.js';

export interface ImportRunParts {
  readonly job: ImportJob;
  readonly held: HeldRun;
  readonly writer: RowWriter;
  readonly store: ImportRunStore;
  readonly files: Pick<StagedFiles, 'read'>;
  readonly limits: { readonly maxRows: number; readonly maxLineBytes: number };
  /** Called before each batch: may wait. */
  readonly beforeBatch: (signal: AbortSignal) => Promise<void>;
  /** Called after each batch that may have changed rows. */
  readonly afterBatch: () => void;
  readonly monotonicMs: () => number;
  /** Aborts between two batches. */
  readonly signal: AbortSignal;
}

/** A batch without the rows that cannot be written. */
interface SortedRows {
  readonly rows: readonly ResolvedRow[];
  readonly problems: readonly LineProblem[];
  readonly rejectedLines: number;
}

const NOTHING_WRITTEN: WriteCounts = { inserted: 0, updated: 0, unchanged: 0 };
const SAVEPOINT = 'dry_run';
/** A batch of rows is read and judged in one piece of some 50 ms otherwise, for which every search would wait. */
const TURN_MAX_MS = 4;

/**
 * Reads the file from the checkpoint of the job to its end, batch by batch. Rows, counts, problems and checkpoint of a batch are one transaction: whatever
 * ends the process, a later run goes on exactly behind what has been written.
 */
export class ImportRun {
  private progress: RunProgress;
  private lastMs: number;
  private turnStartMs: number;

  constructor(private readonly parts: ImportRunParts) {
    const { counts, problems, checkpoint, activeMs } = parts.job;
    this.progress = { counts, problems, checkpoint, activeMs };
    this.lastMs = this.turnStartMs = parts.monotonicMs();
  }

  /**
   * Resolves with how it ended.
   *
   * @throws UnreadableFileError, RunLostError, the reason of the signal, and whatever the database says
   */
  async run(): Promise<'done' | 'cancelled'> {
    const batcher = new RowBatcher(this.parts.job.id, this.parts.writer, this.progress.checkpoint);
    for await (const row of this.rows(batcher)) {
      if (this.progress.counts.lines + batcher.size >= this.parts.limits.maxRows) {
        if (!batcher.isEmpty && !(await this.write(batcher.take()))) return 'cancelled';
        throw tooManyRows(row.line, this.parts.limits.maxRows);
      }
      batcher.add(row);
      await this.giveWay();
      if (batcher.isFull && !(await this.write(batcher.take()))) return 'cancelled';
    }
    return batcher.isEmpty || (await this.write(batcher.take())) ? 'done' : 'cancelled';
  }

  /** Lets requests and answers of this process be handled, when rows have been read for a while. */
  private async giveWay(): Promise<void> {
    const { monotonicMs } = this.parts;
    if (monotonicMs() - this.turnStartMs < TURN_MAX_MS) return;
    await nextTurn();
    this.turnStartMs = monotonicMs();
  }

  /** The rows behind the checkpoint. What the reader says of the file as a whole goes to the batcher. */
  private async *rows(batcher: RowBatcher): AsyncGenerator<ReadRow> {
    const { job, writer, files, limits } = this.parts;
    let reader: RowReader | null = null;
    for await (const piece of files.read(job.id, this.progress.checkpoint.offset)) {
      let bytes = piece;
      if (reader === null) {
        const { checkpoint } = this.progress;
        const markLength = checkpoint.offset === 0 ? byteOrderMarkLength(piece) : 0;
        bytes = piece.subarray(markLength);
        reader = openReader(job, writer.csv, { ...checkpoint, offset: checkpoint.offset + markLength }, limits.maxLineBytes);
      }
      for (const row of reader.read(bytes)) {
        batcher.addProblems(reader.takeProblems());
        yield row;
      }
    }
    reader ??= openReader(job, writer.csv, this.progress.checkpoint, limits.maxLineBytes);
    for (const row of reader.finish()) yield row;
    batcher.addProblems(reader.takeProblems());
  }

  /** Writes a batch; false = the job is to be cancelled, and nothing was written. */
  private async write(batch: RowBatch): Promise<boolean> {
    const { held, store, writer, signal } = this.parts;
    await this.parts.beforeBatch(signal);
    const { rows, problems, rejectedLines } = await this.sortOut(batch);
    const write = await writer.prepare(rows);
    signal.throwIfAborted();
    let progress = this.progress;
    const isWritten = await store.batch(held, async (session) => {
      const counts = await this.writeRows(session, rows, write);
      progress = this.after({ rows, problems, rejectedLines, next: batch.next }, counts);
      await store.noteKeys(session, held.jobId, linesOf(rows));
      await store.addProblems(session, held.jobId, this.progress.problems, problems);
      await store.advance(session, held.jobId, progress);
    });
    this.progress = progress;
    if (isWritten) this.parts.afterBatch();
    return isWritten;
  }

  /**
   * Leaves rows out that stored data forbid, and those whose key the file has named before.
   *
   * Only this run writes the keys of its job, so what is read here holds until the transaction; or the lease is lost, and the transaction fails.
   */
  private async sortOut(batch: RowBatch): Promise<SortedRows> {
    const { held, store, writer } = this.parts;
    const resolved = await writer.resolve(batch.rows);
    const problems = [...batch.problems];
    for (const [line, found] of resolved.refused) problems.push(...found.map((problem) => ({ line, ...problem })));
    const named = await store.findKeys(held.jobId, [...linesOf(resolved.rows).keys()]);
    const rows = resolved.rows.filter(({ key, line }) => {
      if (key === null) return true;
      const before = named.get(key);
      if (before === undefined) named.set(key, line);
      else problems.push(duplicateOf(line, before));
      return before === undefined;
    });
    problems.sort((one, other) => one.line - other.line);
    return { rows, problems, rejectedLines: batch.rejectedLines + batch.rows.length - rows.length };
  }

  private async writeRows(session: SqlSession, rows: readonly ResolvedRow[], write: PreparedWrite): Promise<WriteCounts> {
    if (rows.length === 0) return NOTHING_WRITTEN;
    if (!this.parts.job.options.isDryRun) return write(session);
    await session.query(`SAVEPOINT ${SAVEPOINT}`);
    const counts = await write(session);
    await session.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    return counts;
  }

  private after(
    { rows, problems, rejectedLines, next }: SortedRows & Pick<RowBatch, 'next'>,
    { inserted, updated, unchanged }: WriteCounts,
  ): RunProgress {
    const { counts, activeMs } = this.progress;
    const nowMs = this.parts.monotonicMs();
    const sinceMs = nowMs - this.lastMs;
    this.lastMs = nowMs;
    return {
      counts: {
        lines: counts.lines + rows.length + rejectedLines,
        accepted: counts.accepted + rows.length,
        inserted: counts.inserted + inserted,
        updated: counts.updated + updated,
        unchanged: counts.unchanged + unchanged,
        rejected: counts.rejected + rejectedLines,
      },
      problems: this.progress.problems + problems.length,
      checkpoint: next,
      activeMs: activeMs + sinceMs,
    };
  }
}

/** Lines of the keys; of a key that is there twice the first. */
function linesOf(rows: readonly ResolvedRow[]): Map<string, number> {
  const lines = new Map<string, number>();
  for (const { key, line } of rows) if (key !== null && !lines.has(key)) lines.set(key, line);
  return lines;
}

function tooManyRows(line: number, maxRows: number): UnreadableFileError {
  const detail = `line ${line} and everything behind it was not read: a file may have ${maxRows} rows (IMPORT_MAX_ROWS)`;
  return new UnreadableFileError({ line, pointer: '', code: 'too-many-rows', detail });
}

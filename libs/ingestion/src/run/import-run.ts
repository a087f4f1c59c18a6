import type { SqlSession } from '#database';
import type { ImportJob } from '../import-job.js';
import type { ImportTarget, PreparedWrite, WriteCounts } from '../import-target.js';
import { byteOrderMarkLength } from '../parsing/file-encoding.js';
import { openReader } from '../parsing/open-reader.js';
import type { LineProblem, ReadRow, RowReader } from '../parsing/read-row.js';
import type { StagedFiles } from '../staging/staged-files.js';
import type { HeldRun, ImportRunStore, RunProgress } from './import-run.store.js';
import { duplicateOf, RowBatcher, type BatchRow, type RowBatch } from './row-batches.js';

export interface ImportRunParts {
  readonly job: ImportJob;
  readonly held: HeldRun;
  readonly target: ImportTarget;
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

const NOTHING_WRITTEN: WriteCounts = { inserted: 0, updated: 0, unchanged: 0 };
const SAVEPOINT = 'dry_run';

/**
 * Reads the file from the checkpoint of the job to its end, batch by batch. Rows, counts, problems and checkpoint of a batch are one transaction: whatever
 * ends the process, a later run goes on exactly behind what has been written.
 */
export class ImportRun {
  private progress: RunProgress;
  private lastMs: number;

  constructor(private readonly parts: ImportRunParts) {
    const { counts, problems, checkpoint, activeMs } = parts.job;
    this.progress = { counts, problems, checkpoint, activeMs };
    this.lastMs = parts.monotonicMs();
  }

  /**
   * Resolves with how it ended.
   *
   * @throws UnreadableFileError, RunLostError, the reason of the signal, and whatever the database says
   */
  async run(): Promise<'done' | 'cancelled'> {
    const batcher = new RowBatcher(this.parts.job.id, this.parts.target, this.progress.checkpoint);
    for await (const row of this.rows(batcher)) {
      if (this.progress.counts.lines + batcher.size >= this.parts.limits.maxRows) {
        batcher.addProblems([tooManyRows(row.line, this.parts.limits.maxRows)]);
        break;
      }
      batcher.add(row);
      if (batcher.isFull && !(await this.write(batcher.take()))) return 'cancelled';
    }
    return batcher.isEmpty || (await this.write(batcher.take())) ? 'done' : 'cancelled';
  }

  /** The rows behind the checkpoint. What the reader says of the file as a whole goes to the batcher. */
  private async *rows(batcher: RowBatcher): AsyncGenerator<ReadRow> {
    const { job, target, files, limits } = this.parts;
    let reader: RowReader | null = null;
    for await (const piece of files.read(job.id, this.progress.checkpoint.offset)) {
      let bytes = piece;
      if (reader === null) {
        const { checkpoint } = this.progress;
        const markLength = checkpoint.offset === 0 ? byteOrderMarkLength(piece) : 0;
        bytes = piece.subarray(markLength);
        reader = openReader(job, target, { ...checkpoint, offset: checkpoint.offset + markLength }, limits.maxLineBytes);
      }
      for (const row of reader.read(bytes)) {
        batcher.addProblems(reader.takeProblems());
        yield row;
      }
    }
    reader ??= openReader(job, target, this.progress.checkpoint, limits.maxLineBytes);
    for (const row of reader.finish()) yield row;
    batcher.addProblems(reader.takeProblems());
  }

  /** Writes a batch; false = the job is to be cancelled, and nothing was written. */
  private async write(batch: RowBatch): Promise<boolean> {
    const { held, store, target, signal } = this.parts;
    await this.parts.beforeBatch(signal);
    const checked = await this.withoutDuplicates(batch);
    const write = await target.prepare(checked.rows);
    signal.throwIfAborted();
    let progress = this.progress;
    const isWritten = await store.batch(held, async (session) => {
      progress = this.after(checked, await this.writeRows(session, checked.rows, write));
      await store.noteExternalIds(session, held.jobId, externalIdsOf(checked.rows));
      await store.addProblems(session, held.jobId, this.progress.problems, checked.problems);
      await store.advance(session, held.jobId, progress);
    });
    this.progress = progress;
    if (isWritten) this.parts.afterBatch();
    return isWritten;
  }

  /** Only this run writes the ids of its job, so what is read here holds until the transaction, or the lease is lost and the transaction fails. */
  private async withoutDuplicates(batch: RowBatch): Promise<RowBatch> {
    const { held, store } = this.parts;
    const lines = await store.findExternalIds(held.jobId, [...externalIdsOf(batch.rows).keys()]);
    if (lines.size === 0) return batch;
    const isDuplicate = ({ externalId }: BatchRow): boolean => externalId !== null && lines.has(externalId);
    const duplicates = batch.rows.filter(isDuplicate);
    return {
      ...batch,
      rows: batch.rows.filter((row) => !isDuplicate(row)),
      problems: [...batch.problems, ...duplicates.map(({ line, externalId }) => duplicateOf(line, lines.get(externalId!)!))],
      rejectedLines: batch.rejectedLines + duplicates.length,
    };
  }

  private async writeRows(session: SqlSession, rows: readonly BatchRow[], write: PreparedWrite): Promise<WriteCounts> {
    if (rows.length === 0) return NOTHING_WRITTEN;
    if (!this.parts.job.options.isDryRun) return write(session);
    await session.query(`SAVEPOINT ${SAVEPOINT}`);
    const counts = await write(session);
    await session.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
    return counts;
  }

  private after({ rows, problems, rejectedLines, next }: RowBatch, { inserted, updated, unchanged }: WriteCounts): RunProgress {
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

function externalIdsOf(rows: readonly BatchRow[]): Map<string, number> {
  return new Map(rows.flatMap(({ externalId, line }): [string, number][] => (externalId === null ? [] : [[externalId, line]])));
}

function tooManyRows(line: number, maxRows: number): LineProblem {
  const detail = `and everything behind it was not read: a file may have ${maxRows} rows (IMPORT_MAX_ROWS)`;
  return { line, pointer: '', code: 'too-many-rows', detail };
}

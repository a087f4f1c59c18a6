import type { SqlSession, UnitOfWork } from '#database';
import type { DocumentWriter } from '#documents';
import { DomainError } from '#kernel';
import { importBatchOf, type AcceptedRow, type ImportBatch } from './import-batch.js';
import type { ImportCheckpoint, ImportCheckpoints, StoredCheckpoint } from './import-checkpoints.js';
import type { ImportCollections } from './import-collections.js';
import { newImportCounts, type PgvectorImportCounts, type PgvectorImportResult, type VectorCounts } from './pgvector-import-counts.js';
import type { ColumnMapping } from './column-mapping.js';
import { PgvectorImportError } from './pgvector-import.error.js';
import type { PgvectorTable } from './pgvector-table.js';
import type { RefusedRow } from './source-row.js';
import type { VectorKeeper } from './vector-keeper.js';

/** Refused rows that a result holds; all of them are handed to the listener. */
const REFUSED_IN_RESULT = 1_000;

export interface PgvectorImportPorts {
  readonly table: PgvectorTable;
  readonly unitOfWork: UnitOfWork;
  readonly writer: DocumentWriter;
  readonly collections: ImportCollections;
  readonly checkpoints: ImportCheckpoints;
  readonly keeper: VectorKeeper;
}

export interface PgvectorImportOptions {
  readonly mapping: ColumnMapping;
  /** Of the vectors that are kept; `null` = none are, and none are read. */
  readonly dimensions: number | null;
  readonly isDryRun: boolean;
  /** Goes on behind the last row of the run before; without one, from the first. */
  readonly isResumed: boolean;
  readonly batchSize: number;
  /** Ends the run after the batch that is being written. */
  readonly signal: AbortSignal;
  readonly onProgress: (counts: PgvectorImportCounts, total: number, skipped: number) => void;
  readonly onRefused: (row: RefusedRow) => void;
}

/**
 * Copies a pgvector table into documents, by their external ids: any number of times, and from wherever it stopped.
 *
 * Documents, their vectors and the place to go on from are one transaction per batch, so what a run was doing when it died is either done or not.
 */
export class PgvectorImport {
  private readonly counts = newImportCounts();
  private readonly refusedRows: RefusedRow[] = [];

  constructor(
    private readonly ports: PgvectorImportPorts,
    private readonly options: PgvectorImportOptions,
  ) {}

  /** @throws PgvectorImportError when it cannot begin, or the source cannot be read; DomainError when Kindred's database is away */
  async run(): Promise<PgvectorImportResult> {
    const { table } = this.ports;
    const { signal, batchSize, dimensions, onProgress } = this.options;
    const { rows: total, withoutId } = await table.count();
    const begun = await this.begin();
    if (begun === null && withoutId > 0) this.refuse([{ id: '(none)', reason: `rows without an id: ${withoutId}` }], withoutId);
    let after = begun?.lastId ?? null;
    const skipped = begun?.rowsRead ?? 0;
    while (!signal.aborted) {
      const page = await table.page(after, batchSize, dimensions !== null);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
      const batch = await importBatchOf(page, this.ports.collections, dimensions);
      this.refuse(batch.refused);
      this.counts.read += page.length;
      await this.take(batch, { lastId: after, rowsRead: skipped + this.counts.read, rowsRefused: begun?.rowsRefused ?? 0 });
      onProgress(this.counts, total, skipped);
    }
    const refusedInAll = (begun?.rowsRefused ?? 0) + this.counts.refused;
    return { ...this.counts, total, skipped, refusedInAll, isInterrupted: signal.aborted, refusedRows: this.refusedRows };
  }

  private async begin(): Promise<StoredCheckpoint | null> {
    if (!this.options.isResumed) return null;
    const found = await this.ports.checkpoints.read(this.ports.unitOfWork);
    if (found !== null && !isSameMapping(found.mapping, this.options.mapping)) {
      throw new PgvectorImportError('The run before had another --map. Give the same, or start from the first row without --resume.');
    }
    return found;
  }

  /** Writes a batch, or says what it would come to. A row that the database refuses is found by halving, and does not stop the others. */
  private async take(batch: ImportBatch, checkpoint: ImportCheckpoint): Promise<void> {
    try {
      await this.write(batch, checkpoint);
    } catch (error) {
      if (!isOfTheData(error)) throw error;
      const { accepted } = batch;
      if (accepted.length === 0) throw error;
      if (accepted.length === 1) {
        this.refuse([{ id: accepted[0]!.document.external_id!, reason: `the database refuses it: ${(error as Error).message}` }]);
        return this.take({ ...batch, accepted: [] }, checkpoint);
      }
      const middle = Math.ceil(accepted.length / 2);
      await this.take({ ...batch, accepted: accepted.slice(0, middle) }, { ...checkpoint, lastId: '' });
      await this.take({ ...batch, accepted: accepted.slice(middle) }, checkpoint);
    }
  }

  private async write({ accepted, collections }: ImportBatch, checkpoint: ImportCheckpoint): Promise<void> {
    const { writer, keeper, unitOfWork } = this.ports;
    const prepared = await writer.prepare(
      accepted.map(({ document }) => document),
      collections,
    );
    const plan = await keeper.plan(prepared, vectorsOf(accepted));
    if (this.options.isDryRun) {
      for (const { expected } of prepared.documents) this.counts[expected]++;
      return this.countVectors(await keeper.foresee(unitOfWork, plan));
    }
    const { written, kept } = await unitOfWork.run(async (session) => {
      const kept = await keeper.keep(session, plan);
      const written = await writer.upsert(session, prepared);
      await this.note(session, checkpoint);
      return { written, kept };
    });
    for (const { outcome } of written) this.counts[outcome]++;
    this.countVectors(kept);
  }

  private async note(session: SqlSession, { lastId, rowsRead, rowsRefused }: ImportCheckpoint): Promise<void> {
    // The first half of a batch: the row to go on behind is in the second.
    if (lastId === '') return;
    await this.ports.checkpoints.write(session, { lastId, rowsRead, rowsRefused: rowsRefused + this.counts.refused });
  }

  private countVectors(counts: VectorCounts): void {
    for (const name of Object.keys(counts) as (keyof VectorCounts)[]) this.counts.vectors[name] += counts[name];
  }

  private refuse(rows: readonly RefusedRow[], count = rows.length): void {
    this.counts.refused += count;
    for (const row of rows) {
      if (this.refusedRows.length < REFUSED_IN_RESULT) this.refusedRows.push(row);
      this.options.onRefused(row);
    }
  }
}

function vectorsOf(accepted: readonly AcceptedRow[]): (Float32Array | null)[] {
  return accepted.map(({ vector }) => vector);
}

function isSameMapping(one: ColumnMapping, other: ColumnMapping): boolean {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<keyof ColumnMapping>;
  return [...names].every((name) => one[name] === other[name]);
}

/** SQLSTATE classes data exception, integrity constraint violation and program limit exceeded: the fault of a row. */
const DATA_CLASSES: ReadonlySet<string> = new Set(['22', '23', '54']);

function isOfTheData(error: unknown): boolean {
  if (error instanceof DomainError || !(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && DATA_CLASSES.has(code.slice(0, 2));
}

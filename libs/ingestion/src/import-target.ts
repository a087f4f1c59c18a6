import type { SqlSession } from '#database';
import type { FieldProblem } from '#kernel';
import type { z } from 'zod';
import type { ImportFormat, ImportKind, ImportOptions } from './import-job.js';
import type { CsvFields } from './parsing/csv-header.js';

/** A row that the rules of the target have let through. */
export interface ImportRow<Fields = unknown> {
  /** The same in every run of the job: derived from job and line. */
  readonly id: string;
  readonly line: number;
  readonly fields: Fields;
}

/** A row of which nothing remains to be found out. */
export interface ResolvedRow<Resolved = unknown> {
  readonly id: string;
  readonly line: number;
  readonly fields: Resolved;
  /** What a file may name once; `null` = the row is always new. */
  readonly key: string | null;
}

/** What became of the rows of a batch; the three sum up to its size. */
export interface WriteCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** Writes prepared rows in the transaction of the batch. Must not touch anything but the session. */
export type PreparedWrite = (session: SqlSession) => Promise<WriteCounts>;

export interface ResolvedRows<Resolved = unknown> {
  readonly rows: readonly ResolvedRow<Resolved>[];
  /** Rows that stored data forbid, by line. */
  readonly refused: ReadonlyMap<number, readonly FieldProblem[]>;
}

/** Takes the rows of one import. */
export interface RowWriter<Fields = unknown, Resolved = unknown> {
  /** The rules of a row: those of the API, so that both refuse the same with the same words. */
  readonly schema: z.ZodType<Fields>;
  readonly csv: CsvFields;
  /** Finds out what only stored data can tell. */
  resolve(rows: readonly ImportRow<Fields>[]): Promise<ResolvedRows<Resolved>>;
  /** Does what takes time, outside of any transaction; no key is there twice. */
  prepare(rows: readonly ResolvedRow<Resolved>[]): Promise<PreparedWrite>;
}

/** A kind of row that files can be imported into. */
export abstract class ImportTarget {
  abstract readonly kind: ImportKind;
  /** Name of the index source, whose backlog slows an import down. */
  abstract readonly source: string;
  abstract readonly formats: readonly ImportFormat[];

  abstract open(options: ImportOptions): RowWriter;
}

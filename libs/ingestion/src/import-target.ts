import type { SqlSession } from '#database';
import type { z } from 'zod';
import type { ImportFormat, ImportKind } from './import-job.js';
import type { CsvFields } from './parsing/csv-header.js';

/** A row that the rules of the target have let through. */
export interface ImportRow<Fields = unknown> {
  /** The same in every run of the job: derived from job and line. */
  readonly id: string;
  readonly fields: Fields;
}

/** What became of the rows of a batch; the three sum up to its size. */
export interface WriteCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

/** Writes prepared rows in the transaction of the batch. Must not touch anything but the session. */
export type PreparedWrite = (session: SqlSession) => Promise<WriteCounts>;

/** A kind of row that files can be imported into. */
export abstract class ImportTarget<Fields = unknown> {
  abstract readonly kind: ImportKind;
  /** Name of the index source, whose backlog slows an import down. */
  abstract readonly source: string;
  abstract readonly formats: readonly ImportFormat[];
  /** The rules of a row: those of the API, so that both refuse the same with the same words. */
  abstract readonly schema: z.ZodType<Fields>;
  abstract readonly csv: CsvFields;

  /** `null` = the row is always new. */
  abstract externalIdOf(fields: Fields): string | null;

  /** Does what takes time, outside of any transaction; no external id is there twice. */
  abstract prepare(rows: readonly ImportRow<Fields>[]): Promise<PreparedWrite>;
}

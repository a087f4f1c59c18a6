import type { ImportField } from './column-mapping.js';

/** A row of the source: the text form of each mapped column, `null` = NULL. */
export interface SourceRow {
  readonly id: string;
  readonly values: Readonly<Partial<Record<Exclude<ImportField, 'external_id'>, string | null>>>;
}

/** A row that is not imported, and why. */
export interface RefusedRow {
  readonly id: string;
  readonly reason: string;
}

import { csvCell } from '../parsing/csv-cells.js';

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Characters that are gathered before they are handed on: rows one by one would cost more than they are. */
const CHUNK_CHARACTERS = 65_536;

/** Reads the rows behind a row, in an order that no write changes; `null` = from the start. */
export type ReadPage<Row> = (after: Row | null) => Promise<{ readonly items: readonly Row[]; readonly hasMore: boolean }>;

/**
 * The text of an export, row by row: as JSON per line, or as CSV with a header, whose cells no spreadsheet takes for a formula.
 *
 * In memory are one page of rows and the text of one row, or of some small ones. Pages are statements of their own, so a slow client holds no snapshot of the database open. Rows that are there from the beginning to the end come exactly
 * once, each as it was when its page was read; rows that come or go meanwhile may be in it or not.
 *
 * @param signal aborts when the process stops: the export then ends with an error, and never as if it were whole
 */
export async function* exportRows<Row extends object>(
  format: ExportFormat,
  columns: readonly (keyof Row & string)[],
  read: ReadPage<Row>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let text = format === 'csv' ? `${columns.join(',')}\r\n` : '';
  for (let last: Row | null = null; ;) {
    signal.throwIfAborted();
    const { items, hasMore } = await read(last);
    for (const row of items) {
      text += format === 'csv' ? csvRow(row, columns) : `${JSON.stringify(row)}\n`;
      if (text.length < CHUNK_CHARACTERS) continue;
      yield text;
      text = '';
    }
    last = items.at(-1) ?? null;
    if (!hasMore || last === null) break;
  }
  if (text !== '') yield text;
}

function csvRow<Row extends object>(row: Row, columns: readonly (keyof Row & string)[]): string {
  return `${columns.map((name) => csvCell(cellOf(row[name]))).join(',')}\r\n`;
}

function cellOf(value: unknown): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  return JSON.stringify(value);
}

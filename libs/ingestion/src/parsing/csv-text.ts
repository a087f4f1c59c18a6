import { parse } from 'csv-parse/sync';

/** The texts of the cells of one record, or `null` when its quotes make no sense. */
export type CsvCells = readonly string[] | null;

/**
 * Takes records apart, each of which is valid UTF-8 and ends outside of quotes.
 *
 * All in one call, which is three times as fast as one by one; only when one of them is broken each is looked at alone.
 */
export function csvCells(records: readonly Buffer[], delimiter: string): CsvCells[] {
  if (records.length === 0) return [];
  const together = parsed(Buffer.concat(records.flatMap((record) => [record, LINE_BREAK])), delimiter);
  if (together?.length === records.length) return together;
  return records.map((record) => parsed(record, delimiter)?.[0] ?? null);
}

const LINE_BREAK = Buffer.from('\n');

function parsed(bytes: Buffer, delimiter: string): string[][] | null {
  try {
    return parse(bytes, { delimiter, record_delimiter: ['\r\n', '\n'], relax_column_count: true });
  } catch {
    return null;
  }
}

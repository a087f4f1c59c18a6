import { join } from 'node:path';
import type { PayloadValue } from '../vector-store.js';
import type { Cell } from './payload-columns.js';

/*
 * File: magic, u32 format version, u32 length of the header, header (JSON); blocks; u32 END_MARK, u32 0, f64 number of rows; SHA-256 of all before.
 * Block: u32 BLOCK_MARK, u32 rows, u32 length of the payloads, ids (36 bytes of text each), payload columns (JSON), vectors (float32).
 * Numbers are little-endian, and so are the vectors: the file is written and read as the memory of a little-endian machine.
 */
export const MAGIC = 'KINDRED\n';
/** Raise it with every change of the format: files of other versions are set aside, and the ledger fills the gap. */
export const FORMAT_VERSION = 1;
export const BLOCK_MARK = 0x4b434c42;
export const END_MARK = 0x21444e45;
export const PRELUDE_BYTES = MAGIC.length + 8;
export const BLOCK_HEAD_BYTES = 12;
export const END_BYTES = 16;
export const DIGEST_BYTES = 32;
export const ID_BYTES = 36;
/** Rows that are encoded in one go: about a millisecond, during which queries wait. */
export const ROWS_PER_BLOCK = 512;

const SUFFIX = '.snapshot';
export const TEMPORARY_SUFFIX = '.tmp';
export const DAMAGED_SUFFIX = '.damaged';

export function snapshotPath(folder: string, collection: string): string {
  return join(folder, `${collection}${SUFFIX}`);
}

/** The collection that a file of the folder belongs to, or `null` when it is no snapshot. */
export function collectionOfFile(file: string): string | null {
  return file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : null;
}

/** Cells of one field: a dictionary when values repeat, else the values themselves. */
export type EncodedColumn =
  | { readonly dictionary: readonly PayloadValue[]; readonly codes: readonly number[] }
  | { readonly values: readonly PayloadValue[]; readonly missing: readonly number[] };

const MISSING_CODE = -1;

export function encodeColumn(cells: readonly Cell[]): EncodedColumn {
  const codes = new Map<PayloadValue, number>();
  const coded = cells.map((cell) => {
    if (cell === undefined) return MISSING_CODE;
    const code = codes.get(cell) ?? codes.size;
    codes.set(cell, code);
    return code;
  });
  if (codes.size * 2 <= cells.length) return { dictionary: [...codes.keys()], codes: coded };
  const missing: number[] = [];
  coded.forEach((code, row) => code === MISSING_CODE && missing.push(row));
  return { values: cells.map((cell) => cell ?? null), missing };
}

/**
 * Returns the cells of a block.
 *
 * @param share applied to each different value of a dictionary
 * @throws Error when the column is not whole
 */
export function decodeColumn(column: EncodedColumn, rows: number, share: (value: PayloadValue) => PayloadValue = (value) => value): Cell[] {
  if ('dictionary' in column) {
    const { codes } = column;
    if (codes.length !== rows) throw new Error('a column has another length');
    const dictionary = column.dictionary.map(share);
    return codes.map((code) => (code === MISSING_CODE ? undefined : dictionary[code]));
  }
  if (column.values.length !== rows) throw new Error('a column has another length');
  const cells: Cell[] = [...column.values];
  for (const row of column.missing) cells[row] = undefined;
  return cells;
}

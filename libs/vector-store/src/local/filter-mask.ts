import type { FilterScalar, VectorFilter } from '../vector-filter.js';
import type { Cell } from './payload-columns.js';

/** What a filter reads: cells by row, and the row of an id. */
export interface FilterRows {
  readonly length: number;
  cellsOf(field: string): readonly Cell[] | null;
  rowOf(id: string): number | undefined;
}

/** One byte per row: 1 = kept. */
export type RowMask = Uint8Array;

/** Evaluates the filter over all rows, field by field. Ids must be in lower case. */
export function evaluateFilter(filter: VectorFilter, rows: FilterRows): RowMask {
  switch (filter.kind) {
    case 'any':
      return maskOfValues(filter.values, rows.cellsOf(filter.field), rows.length);
    case 'range':
      return maskOfRange(filter, rows.cellsOf(filter.field), rows.length);
    case 'and':
      return combine(filter.filters, rows, 1);
    case 'or':
      return combine(filter.filters, rows, 0);
    case 'not':
      return invert(evaluateFilter(filter.filter, rows));
    case 'ids':
      return maskOfIds(filter.ids, rows);
  }
}

export function countKept(mask: RowMask): number {
  let count = 0;
  for (let row = 0; row < mask.length; row++) count += mask[row]!;
  return count;
}

/** Returns the kept rows in ascending order. */
export function keptRows(mask: RowMask, count: number): Uint32Array {
  const rows = new Uint32Array(count);
  let next = 0;
  for (let row = 0; row < mask.length; row++) if (mask[row] === 1) rows[next++] = row;
  return rows;
}

function maskOfValues(values: readonly FilterScalar[], cells: readonly Cell[] | null, length: number): RowMask {
  const mask = new Uint8Array(length);
  if (cells === null) return mask;
  const end = Math.min(length, cells.length);
  if (values.length === 1) {
    // Shared strings make this a comparison of pointers, twice as fast as a set of one.
    const only = values[0];
    for (let row = 0; row < end; row++) if (cells[row] === only) mask[row] = 1;
    return mask;
  }
  const wanted = new Set<Cell>(values);
  for (let row = 0; row < end; row++) if (wanted.has(cells[row])) mask[row] = 1;
  return mask;
}

function maskOfRange(range: Extract<VectorFilter, { kind: 'range' }>, cells: readonly Cell[] | null, length: number): RowMask {
  const mask = new Uint8Array(length);
  if (cells === null) return mask;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  const end = Math.min(length, cells.length);
  for (let row = 0; row < end; row++) {
    const cell = cells[row];
    if (typeof cell === 'number' && cell > gt && cell >= gte && cell < lt && cell <= lte) mask[row] = 1;
  }
  return mask;
}

/** `neutral` 1 = all must hold, 0 = one must hold. */
function combine(filters: readonly VectorFilter[], rows: FilterRows, neutral: 0 | 1): RowMask {
  const mask = new Uint8Array(rows.length).fill(neutral);
  for (const filter of filters) {
    const part = evaluateFilter(filter, rows);
    if (neutral === 1) for (let row = 0; row < mask.length; row++) mask[row]! &= part[row]!;
    else for (let row = 0; row < mask.length; row++) mask[row]! |= part[row]!;
  }
  return mask;
}

function invert(mask: RowMask): RowMask {
  for (let row = 0; row < mask.length; row++) mask[row]! ^= 1;
  return mask;
}

function maskOfIds(ids: readonly string[], rows: FilterRows): RowMask {
  const mask = new Uint8Array(rows.length);
  for (const id of ids) {
    const row = rows.rowOf(id);
    if (row !== undefined) mask[row] = 1;
  }
  return mask;
}

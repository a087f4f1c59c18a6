import type { PayloadValue, PointPayload } from '../vector-store.js';

/** `undefined` = the row does not have the field. */
export type Cell = PayloadValue | undefined;

/** A column with more different texts than this holds hashes or free text: sharing strings would cost more than it saves. */
const MAX_SHARED_STRINGS = 4096;

class Column {
  readonly cells: Cell[] = [];
  private shared: Map<string, string> | null = new Map();

  /** Strings that arrive from another thread or a file are copies each; rows of one keyword share one string instead. */
  share<Value extends Cell>(cell: Value): Value | string {
    if (typeof cell !== 'string' || this.shared === null) return cell;
    const known = this.shared.get(cell);
    if (known !== undefined) return known;
    if (this.shared.size >= MAX_SHARED_STRINGS) this.shared = null;
    else this.shared.set(cell, cell);
    return cell;
  }
}

/** Payloads by column, so that a filter reads one array instead of one object per point. Rows are dense: 0 to `length - 1`. */
export class PayloadColumns {
  private readonly columns = new Map<string, Column>();
  private rows = 0;

  get length(): number {
    return this.rows;
  }

  /** The cells of a field by row, or `null` when no row has it. May be shorter than `length`; the rest is `undefined`. */
  cellsOf(field: string): readonly Cell[] | null {
    return this.columns.get(field)?.cells ?? null;
  }

  fields(): string[] {
    return [...this.columns.keys()];
  }

  /** Writes the whole payload of a row; `row` may be the next one. */
  set(row: number, payload: PointPayload): void {
    if (row >= this.rows) this.rows = row + 1;
    for (const [field, column] of this.columns) {
      if (!Object.hasOwn(payload, field)) this.put(column, row, undefined);
    }
    for (const field of Object.keys(payload)) {
      const column = this.columnOf(field);
      this.put(column, row, column.share(payload[field]));
    }
  }

  /** Writes the cells of one field for rows from `firstRow` on, as they are: pass texts that repeat through {@link share} first. */
  setCells(field: string, firstRow: number, cells: readonly Cell[]): void {
    const column = this.columnOf(field);
    for (let index = 0; index < cells.length; index++) this.put(column, firstRow + index, cells[index]);
  }

  /** Returns the one copy of a text that the rows of this field share. */
  share(field: string, value: PayloadValue): PayloadValue {
    return this.columnOf(field).share(value);
  }

  /** Makes rows exist, without fields. */
  extend(length: number): void {
    this.rows = Math.max(this.rows, length);
  }

  get(row: number): PointPayload {
    const payload: Record<string, PayloadValue> = {};
    for (const [field, { cells }] of this.columns) {
      const cell = cells[row];
      if (cell !== undefined) payload[field] = cell;
    }
    // Every point is written with the fields of PointPayload; a column store cannot show that to the compiler.
    return payload as PointPayload;
  }

  copy(fromRow: number, toRow: number): void {
    for (const column of this.columns.values()) this.put(column, toRow, column.cells[fromRow]);
  }

  removeLast(): void {
    this.rows--;
    for (const { cells } of this.columns.values()) if (cells.length > this.rows) cells.length = this.rows;
  }

  private columnOf(field: string): Column {
    let column = this.columns.get(field);
    if (column === undefined) {
      column = new Column();
      this.columns.set(field, column);
    }
    return column;
  }

  private put(column: Column, row: number, cell: Cell): void {
    const { cells } = column;
    // Filling up keeps the array dense: a hole would turn it into a dictionary.
    while (cells.length < row) cells.push(undefined);
    if (row === cells.length) cells.push(cell);
    else cells[row] = cell;
  }
}

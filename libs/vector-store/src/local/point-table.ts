import type { PointPayload } from '../vector-store.js';
import type { FilterRows } from './filter-mask.js';
import { PayloadColumns, type Cell } from './payload-columns.js';
import { SortedIds } from './sorted-ids.js';
import { VectorSegments } from './vector-segments.js';

/** Tells what a removal did to the rows: the last row has taken the place of the removed one (equal when the removed one was the last). */
export interface RowMove {
  readonly fromRow: number;
  readonly toRow: number;
}

/** Points of one collection in dense rows, 0 to `length - 1`. Rows move when points are removed; ids do not. */
export class PointTable implements FilterRows {
  readonly vectors: VectorSegments;
  readonly payloads = new PayloadColumns();
  private readonly ids: string[] = [];
  private readonly rows = new Map<string, number>();
  private readonly order = new SortedIds();

  constructor(readonly dimensions: number) {
    this.vectors = new VectorSegments(dimensions);
  }

  get length(): number {
    return this.ids.length;
  }

  rowOf(id: string): number | undefined {
    return this.rows.get(id);
  }

  idAt(row: number): string {
    return this.ids[row]!;
  }

  cellsOf(field: string): readonly Cell[] | null {
    return this.payloads.cellsOf(field);
  }

  /** The rev of the row, or `undefined` when it has none. */
  revAt(row: number): number | undefined {
    const rev = this.payloads.cellsOf('rev')?.[row];
    return typeof rev === 'number' ? rev : undefined;
  }

  append(id: string, vector: Float32Array, payload: PointPayload): void {
    const row = this.ids.length;
    this.vectors.resize(row + 1);
    this.vectors.set(row, vector);
    this.payloads.set(row, payload);
    this.ids.push(id);
    this.rows.set(id, row);
    this.order.add(id);
  }

  /** Number of different ids; below `length` only while {@link appendIds} has brought some twice. */
  get idCount(): number {
    return this.rows.size;
  }

  /** Adds rows whose vectors and cells the caller then writes in place. Of equal ids the caller removes all but one with {@link removeRow}. */
  appendIds(ids: readonly string[]): void {
    for (const id of ids) {
      this.rows.set(id, this.ids.length);
      this.ids.push(id);
      this.order.add(id);
    }
    this.vectors.resize(this.ids.length);
    this.payloads.extend(this.ids.length);
  }

  replace(row: number, vector: Float32Array, payload: PointPayload): void {
    this.vectors.set(row, vector);
    this.payloads.set(row, payload);
  }

  removeRow(row: number): RowMove {
    const last = this.ids.length - 1;
    const id = this.ids[row]!;
    if (this.rows.get(id) === row) this.rows.delete(id);
    if (row !== last) {
      const moved = this.ids[last]!;
      this.ids[row] = moved;
      if (this.rows.get(moved) === last) this.rows.set(moved, row);
      this.vectors.copy(last, row);
      this.payloads.copy(last, row);
    }
    this.ids.pop();
    this.payloads.removeLast();
    this.vectors.resize(last);
    this.order.noteRemoval();
    return { fromRow: last, toRow: row };
  }

  /** Points the id at this row again; needed after rows of equal ids were removed. */
  claimId(row: number): void {
    this.rows.set(this.ids[row]!, row);
  }

  /** Calls back with id and row behind `after` (exclusive) in the byte order of the ids until `visit` returns false. */
  forEachInOrder(after: string | null, visit: (id: string, row: number) => boolean): void {
    this.order.forEachAfter(
      after,
      (id) => this.rows.has(id),
      (id) => visit(id, this.rows.get(id)!),
    );
  }
}

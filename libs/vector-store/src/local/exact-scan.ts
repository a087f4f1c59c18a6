import { exactSearch, MetricKind } from 'usearch';
import type { RowMask } from './filter-mask.js';
import { keptRows } from './filter-mask.js';
import type { PointTable } from './point-table.js';

/** Rows with their distance (1 - dot product, float32), nearest first. */
export interface Candidates {
  readonly rows: number[];
  /** No row that is left out has a dot product above this one; -Infinity when none is left out. */
  readonly bound: number;
}

/** Sums of float32 products in native code differ from double precision by less than this at any dimension in use. */
export const SCORE_TOLERANCE = 1e-5;

/** Below this share of the rows, copying the kept ones together is faster than scanning all. Random rows cost about 0.5 us each, a scanned row 0.06 us. */
const GATHER_SHARE = 1 / 8;
const GATHER_ROWS = 4096;

/** Whether the rows that a filter keeps should be gathered rather than found among all. */
export function isGatherCheaper(kept: number, length: number): boolean {
  return kept <= length * GATHER_SHARE;
}

/** The nearest `limit` rows of the whole table. */
export function scanAll(table: PointTable, query: Float32Array, limit: number): Candidates {
  const found = new Nearest(limit, table.length);
  table.vectors.forEachSegment(table.length, (matrix, firstRow, count) => {
    found.add(search(matrix, count, query, table.dimensions, limit), (index) => firstRow + index);
  });
  return found.take();
}

/** The nearest `limit` of the rows that the mask keeps; copies them together in blocks. */
export function scanKept(table: PointTable, query: Float32Array, mask: RowMask, kept: number, limit: number): Candidates {
  return scanRows(table, query, keptRows(mask, kept), limit);
}

export function scanRows(table: PointTable, query: Float32Array, rows: Uint32Array, limit: number): Candidates {
  const { dimensions, vectors } = table;
  const found = new Nearest(limit, rows.length);
  const block = new Float32Array(Math.min(rows.length, GATHER_ROWS) * dimensions);
  for (let first = 0; first < rows.length; first += GATHER_ROWS) {
    const count = Math.min(GATHER_ROWS, rows.length - first);
    for (let i = 0; i < count; i++) block.set(vectors.at(rows[first + i]!), i * dimensions);
    const matrix = block.subarray(0, count * dimensions);
    found.add(search(matrix, count, query, dimensions, limit), (index) => rows[first + index]!);
  }
  return found.take();
}

interface NativeMatches {
  readonly keys: BigUint64Array;
  readonly distances: Float32Array;
}

function search(matrix: Float32Array, count: number, query: Float32Array, dimensions: number, limit: number): NativeMatches {
  // One thread: others would be started anew for every call, and the other core belongs to the embedder. Inner product, because the vectors are
  // of norm 1: it is a quarter faster than the cosine, which divides by norms.
  return exactSearch(matrix, query, dimensions, Math.min(limit, count), MetricKind.IP, 1) as NativeMatches;
}

/** Merges the results of several native searches. */
class Nearest {
  private readonly found: { readonly row: number; readonly distance: number }[] = [];
  private runs = 0;

  constructor(
    private readonly limit: number,
    private readonly total: number,
  ) {}

  add({ keys, distances }: NativeMatches, rowOf: (index: number) => number): void {
    this.runs++;
    for (let i = 0; i < keys.length; i++) this.found.push({ row: rowOf(Number(keys[i])), distance: distances[i]! });
  }

  take(): Candidates {
    if (this.runs > 1) this.found.sort((a, b) => a.distance - b.distance);
    if (this.found.length > this.limit) this.found.length = this.limit;
    const last = this.found[this.found.length - 1];
    const isComplete = this.found.length >= this.total || last === undefined;
    return { rows: this.found.map(({ row }) => row), bound: isComplete ? -Infinity : 1 - last.distance };
  }
}

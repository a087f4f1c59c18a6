/** Bytes of one segment: large enough that a scan of a segment amortises the call into native code, small enough that growing wastes little. */
const SEGMENT_BYTES = 24 * 1024 * 1024;
/** Segments end where the blocks of a snapshot end, so that a block can be read into place. */
const ROW_MULTIPLE = 512;
const BYTES_PER_COMPONENT = 4;
/** More changed rows than this are not listed one by one: whoever follows them looks at all rows then. */
const MAX_LISTED_CHANGES = 4_096;

/**
 * Vectors of one dimension, row by row, in segments that are never moved: growing copies nothing and never doubles the memory.
 *
 * Every segment starts at byte 0 of its own buffer, because `exactSearch` of usearch 2.26 ignores the byte offset of a typed array and would read
 * from the start of the buffer instead.
 */
export class VectorSegments {
  readonly rowsPerSegment: number;
  private readonly segments: Float32Array[] = [];
  /** Rows written since they were last taken; `null` = too many to list. */
  private changedRows: number[] | null = null;

  constructor(readonly dimensions: number) {
    const fitting = Math.floor(SEGMENT_BYTES / (dimensions * BYTES_PER_COMPONENT));
    this.rowsPerSegment = Math.max(1, Math.floor(fitting / ROW_MULTIPLE)) * ROW_MULTIPLE;
  }

  /** Makes rows 0 to `rows - 1` usable, and gives memory back that is far beyond them. New rows hold no defined values. */
  resize(rows: number): void {
    this.growFirst(Math.min(rows, this.rowsPerSegment));
    const needed = Math.ceil(rows / this.rowsPerSegment);
    while (this.segments.length < needed) this.segments.push(new Float32Array(this.rowsPerSegment * this.dimensions));
    // One spare segment stays, so that a count that swings around a boundary does not allocate each time.
    if (this.segments.length > needed + 1) this.segments.length = needed + 1;
  }

  /** Spares the first segment its growth when about this many rows are to come. */
  reserveFirst(rows: number): void {
    this.growFirst(Math.min(rows, this.rowsPerSegment));
  }

  /** The first segment doubles up to its full size: most collections of a test, and a new one anywhere, hold a few rows. */
  private growFirst(rows: number): void {
    const first = this.segments[0];
    const capacity = first === undefined ? 0 : first.length / this.dimensions;
    if (rows <= capacity) return;
    const larger = Math.min(this.rowsPerSegment, Math.max(ROW_MULTIPLE, rows, capacity * 2));
    const grown = new Float32Array(larger * this.dimensions);
    if (first !== undefined) grown.set(first);
    this.segments[0] = grown;
  }

  /** The vector of the row: a view, valid until the row is written or moved or rows are added. */
  at(row: number): Float32Array {
    const offset = this.offsetOf(row);
    return this.segmentOf(row).subarray(offset, offset + this.dimensions);
  }

  set(row: number, vector: Float32Array): void {
    this.noteChange(row);
    this.segmentOf(row).set(vector, this.offsetOf(row));
  }

  copy(fromRow: number, toRow: number): void {
    this.set(toRow, this.at(fromRow));
  }

  /** Whether the row holds exactly these components. */
  equals(row: number, vector: Float32Array): boolean {
    const segment = this.segmentOf(row);
    const offset = this.offsetOf(row);
    for (let i = 0; i < this.dimensions; i++) if (segment[offset + i] !== vector[i]) return false;
    return true;
  }

  /** The dot product of the row with `query`, summed in double precision and always in the same order. */
  dot(row: number, query: Float32Array): number {
    const segment = this.segmentOf(row);
    const offset = this.offsetOf(row);
    const { dimensions } = this;
    const unrolled = dimensions - (dimensions % 4);
    let [a, b, c, d] = [0, 0, 0, 0];
    let i = 0;
    for (; i < unrolled; i += 4) {
      const at = offset + i;
      a += segment[at]! * query[i]!;
      b += segment[at + 1]! * query[i + 1]!;
      c += segment[at + 2]! * query[i + 2]!;
      d += segment[at + 3]! * query[i + 3]!;
    }
    for (; i < dimensions; i++) a += segment[offset + i]! * query[i]!;
    return a + b + (c + d);
  }

  /** Calls back with each run of rows that lie in one buffer: its matrix (byte offset 0), its first row and the number of its rows. */
  forEachSegment(rows: number, visit: (matrix: Float32Array, firstRow: number, count: number) => void): void {
    for (let first = 0, index = 0; first < rows; first += this.rowsPerSegment, index++) {
      const count = Math.min(this.rowsPerSegment, rows - first);
      visit(this.segments[index]!.subarray(0, count * this.dimensions), first, count);
    }
  }

  /** Copies `count` rows from `firstRow` on into one new array. */
  slice(firstRow: number, count: number): Float32Array {
    const copy = new Float32Array(count * this.dimensions);
    for (let i = 0; i < count; i++) copy.set(this.at(firstRow + i), i * this.dimensions);
    return copy;
  }

  /** The rows that were written since the last call, in no order and some twice; `null` = possibly any. */
  takeChangedRows(): readonly number[] | null {
    const changed = this.changedRows;
    this.changedRows = [];
    return changed;
  }

  private noteChange(row: number): void {
    if (this.changedRows === null) return;
    if (this.changedRows.length < MAX_LISTED_CHANGES) this.changedRows.push(row);
    else this.changedRows = null;
  }

  /** The memory of `count` rows from `firstRow` on, to be written; or `null` when they lie in different segments. */
  contiguous(firstRow: number, count: number): Float32Array | null {
    this.changedRows = null;
    const offset = this.offsetOf(firstRow);
    const end = offset + count * this.dimensions;
    return end > this.rowsPerSegment * this.dimensions ? null : this.segmentOf(firstRow).subarray(offset, end);
  }

  private segmentOf(row: number): Float32Array {
    return this.segments[Math.floor(row / this.rowsPerSegment)]!;
  }

  private offsetOf(row: number): number {
    return (row % this.rowsPerSegment) * this.dimensions;
  }
}

import { VectorSegments } from './vector-segments.js';

/** So long that a segment holds only 512 rows. */
const DIMENSIONS = 16_384;

function filled(rows: number): VectorSegments {
  const segments = new VectorSegments(DIMENSIONS);
  for (let row = 0; row < rows; row++) {
    segments.resize(row + 1);
    segments.set(row, new Float32Array(DIMENSIONS).fill(row));
  }
  return segments;
}

describe('VectorSegments', () => {
  it('keeps rows where they were while it grows over several segments', () => {
    const segments = filled(1100);
    expect(segments.rowsPerSegment).toBe(512);
    for (const row of [0, 511, 512, 1023, 1024, 1099]) expect(segments.at(row)[DIMENSIONS - 1]).toBe(row);
  });

  it('hands out every row once, each run at byte 0 of its buffer', () => {
    const segments = filled(1100);
    const runs: [number, number][] = [];
    segments.forEachSegment(1100, (matrix, firstRow, count) => {
      expect(matrix.byteOffset).toBe(0);
      expect(matrix.length).toBe(count * DIMENSIONS);
      expect(matrix[0]).toBe(firstRow);
      runs.push([firstRow, count]);
    });
    expect(runs).toEqual([
      [0, 512],
      [512, 512],
      [1024, 76],
    ]);
  });

  it('says when rows do not lie together', () => {
    const segments = filled(600);
    expect(segments.contiguous(0, 512)).toHaveLength(512 * DIMENSIONS);
    expect(segments.contiguous(511, 2)).toBeNull();
    expect(segments.slice(511, 2)[DIMENSIONS]).toBe(512);
  });

  it('sums the same in any dimension, also beside the unrolled loop', () => {
    for (const dimensions of [1, 3, 4, 7, 384]) {
      const segments = new VectorSegments(dimensions);
      segments.resize(2);
      const vector = Float32Array.from({ length: dimensions }, (_, i) => i + 1);
      segments.set(1, vector);
      const expected = vector.reduce((sum, component) => sum + component * component, 0);
      expect(segments.dot(1, vector)).toBe(expected);
      expect(segments.equals(1, vector)).toBe(true);
      expect(
        segments.equals(
          1,
          vector.map((component, i) => (i === dimensions - 1 ? 0 : component)),
        ),
      ).toBe(false);
    }
  });
});

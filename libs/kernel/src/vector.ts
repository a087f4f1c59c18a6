/** How far from 1 the norm of a "unit" vector may be: float32 rounding over some thousand dimensions stays far below it. */
export const UNIT_NORM_TOLERANCE = 1e-3;

/** Why a vector was refused. `dimension` and `not-finite` are defects of the producer; `not-unit` includes the zero vector. */
export type VectorDefect = 'dimension' | 'not-finite' | 'not-unit';

/**
 * Says what is wrong with a vector, or `null`.
 *
 * @param vector components in order; must have exactly `dimensions` finite entries and L2 norm 1 within {@link UNIT_NORM_TOLERANCE}
 */
export function findVectorDefect(vector: ArrayLike<number>, dimensions: number): VectorDefect | null {
  if (vector.length !== dimensions) return 'dimension';
  let sumOfSquares = 0;
  for (let i = 0; i < vector.length; i++) {
    const component = vector[i]!;
    sumOfSquares += component * component;
  }
  // NaN and infinities survive the sum, so one test after the loop is enough.
  if (!Number.isFinite(sumOfSquares)) return 'not-finite';
  return Math.abs(Math.sqrt(sumOfSquares) - 1) <= UNIT_NORM_TOLERANCE ? null : 'not-unit';
}

/** Scales a vector to L2 norm 1, in place, and returns it. A zero vector is returned as it is (and will be refused by {@link findVectorDefect}). */
export function normaliseInPlace(vector: Float32Array): Float32Array {
  let sumOfSquares = 0;
  for (let i = 0; i < vector.length; i++) sumOfSquares += vector[i]! * vector[i]!;
  if (sumOfSquares > 0) {
    const scale = 1 / Math.sqrt(sumOfSquares);
    for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! * scale;
  }
  return vector;
}

/** Cosine of the angle between two vectors; `NaN` for a zero vector, and for vectors of different length. */
export function cosineOf(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Number.NaN;
  let [product, squaresOfA, squaresOfB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    squaresOfA += a[i]! * a[i]!;
    squaresOfB += b[i]! * b[i]!;
  }
  return product / Math.sqrt(squaresOfA * squaresOfB);
}

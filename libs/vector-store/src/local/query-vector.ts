import { VectorStoreError } from '../vector-store-error.js';

/** Squared norms this close to 1 are float32 rounding: the components stay as they are, bit for bit. */
const UNIT_ROUNDING = 1e-6;

/**
 * Returns the vector at norm 1, in a buffer of its own: the same array when it already is that.
 *
 * @throws VectorStoreError `rejected` when it is zero or not finite
 */
export function toUnitQuery(vector: Float32Array): Float32Array {
  let sumOfSquares = 0;
  for (let i = 0; i < vector.length; i++) sumOfSquares += vector[i]! * vector[i]!;
  if (!Number.isFinite(sumOfSquares) || sumOfSquares === 0)
    throw new VectorStoreError('rejected', 'A query vector must be finite and not zero');
  if (Math.abs(sumOfSquares - 1) <= UNIT_ROUNDING) return vector.byteOffset === 0 ? vector : vector.slice();
  const scale = 1 / Math.sqrt(sumOfSquares);
  return vector.map((component) => component * scale);
}

/**
 * Returns 2 x mean(positive) - mean(negative), or mean(positive) without negatives, at norm 1; a target of zero stays zero (all scores are then 0).
 */
export function averageOf(positive: readonly Float32Array[], negative: readonly Float32Array[], dimensions: number): Float32Array {
  const target = new Float64Array(dimensions);
  addScaled(target, positive, (negative.length === 0 ? 1 : 2) / positive.length);
  addScaled(target, negative, -1 / negative.length);
  let sumOfSquares = 0;
  for (const component of target) sumOfSquares += component * component;
  const scale = sumOfSquares === 0 ? 0 : 1 / Math.sqrt(sumOfSquares);
  return Float32Array.from(target, (component) => component * scale);
}

function addScaled(target: Float64Array, vectors: readonly Float32Array[], scale: number): void {
  for (const vector of vectors) for (let i = 0; i < target.length; i++) target[i]! += vector[i]! * scale;
}

/**
 * Mean-pools the hidden states of one text over its tokens and scales the result to L2 norm 1.
 *
 * The mean is never divided by the number of tokens: the normalisation takes every positive factor out again. Sums are float64, so the result
 * does not depend on the order of magnitude of single tokens. All tokens count: a text is never padded here.
 *
 * @param hidden row-major [tokens, dimensions]
 * @param sums scratch of length `dimensions`; its content is overwritten
 * @returns a new `Float32Array` of length `dimensions`; NaN stays NaN and an all-zero sum stays zero, both are refused by the validation
 */
export function meanPoolAndNormalise(hidden: Float32Array, tokens: number, dimensions: number, sums: Float64Array): Float32Array {
  sums.fill(0);
  for (let token = 0, k = 0; token < tokens; token++) {
    for (let d = 0; d < dimensions; d++, k++) sums[d] = sums[d]! + hidden[k]!;
  }
  let sumOfSquares = 0;
  for (let d = 0; d < dimensions; d++) sumOfSquares += sums[d]! * sums[d]!;
  const scale = sumOfSquares === 0 ? 0 : 1 / Math.sqrt(sumOfSquares);
  const vector = new Float32Array(dimensions);
  for (let d = 0; d < dimensions; d++) vector[d] = sums[d]! * scale;
  return vector;
}

/** Why a vector of the source cannot be kept. */
export type VectorTextProblem = string;

/**
 * Reads pgvector's text form, `[0.1,-2,3e-5]`.
 *
 * @returns the vector as it is stored there, or what is wrong with it
 */
export function parseVectorText(text: string, dimensions: number): Float32Array | VectorTextProblem {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[') || !trimmed.endsWith(']')) return 'the vector is not written as [0.1,0.2,…]';
  const parts = trimmed.slice(1, -1).split(',');
  if (parts.length !== dimensions) return `the vector has ${trimmed === '[]' ? 0 : parts.length} dimensions, not ${dimensions}`;
  const vector = new Float32Array(dimensions);
  for (let place = 0; place < dimensions; place++) {
    const part = parts[place]!;
    const component = part.trim() === '' ? Number.NaN : Number(part);
    // After rounding: what a float32 cannot hold is as infinite as what is written so.
    vector[place] = component;
    if (!Number.isFinite(vector[place])) return `component ${place + 1} of the vector is no finite number`;
  }
  return vector.some((component) => component !== 0) ? vector : 'the vector has no direction: every component is 0';
}

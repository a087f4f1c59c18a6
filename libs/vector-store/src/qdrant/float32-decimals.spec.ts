import { toShortDecimals } from './float32-decimals.js';

const SEED = 20_261_121;

/** A generator of uniform 32-bit patterns (mulberry32). */
function randomBits(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

const throughJson = (vector: Float32Array): Float32Array =>
  Float32Array.from(JSON.parse(JSON.stringify(toShortDecimals(vector))) as number[]);

describe('toShortDecimals', () => {
  it(`loses no bit of any finite float32 (100,000 random patterns, seed ${SEED})`, () => {
    const next = randomBits(SEED);
    const patterns = Uint32Array.from({ length: 100_000 }, next);
    const vector = new Float32Array(patterns.buffer).filter(Number.isFinite);
    expect(vector.length).toBeGreaterThan(99_000);
    expect(throughJson(vector)).toEqual(vector);
  });

  it('loses no bit of components as embeddings have them', () => {
    const next = randomBits(SEED + 1);
    const vector = Float32Array.from({ length: 50_000 }, () => (next() / 2 ** 32 - 0.5) / 10);
    expect(throughJson(vector)).toEqual(vector);
  });

  it.each([0, 1, -1, 0.1, 1e-7, 1e-13, 9.9999998e-14, 2 ** -149, 9_999_999, 10_000_001, 3.4028235e38])('keeps %d', (value) => {
    const vector = Float32Array.of(value, -value);
    expect([...throughJson(vector)].map((x) => x + 0)).toEqual([...vector].map((x) => x + 0));
  });

  it('prints at most nine significant digits', () => {
    const next = randomBits(SEED + 2);
    const vector = Float32Array.from({ length: 10_000 }, () => (next() / 2 ** 32 - 0.5) / 10);
    const longest = Math.max(...toShortDecimals(vector).map((value) => value.toExponential().replace(/e.*|[-.]/g, '').length));
    expect(longest).toBe(9);
  });
});

import { averageOf, toUnitQuery } from './query-vector.js';

describe('toUnitQuery', () => {
  it('keeps a unit vector bit for bit', () => {
    const vector = Float32Array.of(0.6, 0.8);
    expect(toUnitQuery(vector)).toBe(vector);
  });

  it('gives part of a larger array a buffer of its own: native search reads from byte 0', () => {
    const part = Float32Array.of(9, 0.6, 0.8).subarray(1);
    const unit = toUnitQuery(part);
    expect(unit.byteOffset).toBe(0);
    expect([...unit]).toEqual([...part]);
  });

  it('scales any other vector to norm 1, and leaves the original alone', () => {
    const vector = Float32Array.of(3, 4);
    const unit = toUnitQuery(vector);
    expect(unit[0]).toBeCloseTo(0.6, 6);
    expect(unit[1]).toBeCloseTo(0.8, 6);
    expect([...vector]).toEqual([3, 4]);
  });

  it.each([[[0, 0]], [[Number.NaN, 1]], [[Infinity, 0]]])('refuses %j', (components) => {
    expect(() => toUnitQuery(Float32Array.from(components))).toThrow(expect.objectContaining({ kind: 'rejected' }));
  });
});

describe('averageOf', () => {
  it('is the mean without negatives', () => {
    const target = averageOf([Float32Array.of(1, 0), Float32Array.of(0, 1)], [], 2);
    expect(target[0]).toBeCloseTo(Math.SQRT1_2, 6);
    expect(target[1]).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it('is zero when the examples cancel out', () => {
    expect([...averageOf([Float32Array.of(1, 0), Float32Array.of(-1, 0)], [], 2)]).toEqual([0, 0]);
  });
});

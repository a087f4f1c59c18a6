import { randomOf } from '../bench/texts.js';
import { pairedDifference } from './bootstrap.js';

describe('pairedDifference', () => {
  it('has the bounds of the normal approximation where that is known to be good', () => {
    // 50 queries won and 50 equal: mean 0.5, standard error sqrt(0.25 / 100) = 0.05, 95 % = 0.5 +- 1.96 x 0.05.
    const system = Array.from({ length: 100 }, (_, index) => index % 2);
    const { mean, low, high } = pairedDifference(system, Array<number>(100).fill(0), randomOf(7));
    expect(mean).toBe(0.5);
    expect(Math.abs(low - 0.402)).toBeLessThan(0.02);
    expect(Math.abs(high - 0.598)).toBeLessThan(0.02);
  });

  it('pairs the figures: two systems that differ by the same amount everywhere leave no doubt', () => {
    const baseline = [0, 0.2, 0.9, 0.5];
    const { mean, low, high } = pairedDifference(
      baseline.map((value) => value + 0.1),
      baseline,
      randomOf(1),
    );
    for (const value of [mean, low, high]) expect(value).toBeCloseTo(0.1, 12);
  });

  it('repeats itself with the same seed and turns its sign with the order', () => {
    const [system, baseline] = [
      [1, 0, 1, 1, 0.5],
      [0, 0, 1, 0.5, 1],
    ];
    const there = pairedDifference(system, baseline, randomOf(3));
    expect(pairedDifference(system, baseline, randomOf(3))).toEqual(there);
    expect(there.low).toBeLessThan(there.mean);
    expect(there.high).toBeGreaterThan(there.mean);
    expect(pairedDifference(baseline, system, randomOf(3)).mean).toBeCloseTo(-there.mean, 12);
  });

  it('refuses figures that do not pair', () => {
    expect(() => pairedDifference([1], [1, 2], randomOf(1))).toThrow(RangeError);
    expect(() => pairedDifference([], [], randomOf(1))).toThrow(RangeError);
  });
});

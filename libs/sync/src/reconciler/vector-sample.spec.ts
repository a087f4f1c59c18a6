import { VectorSample } from './vector-sample.js';

const point = (n: number) => ({ id: String(n), textHash: '', version: 1, rev: 1 });

describe('VectorSample', () => {
  it('is as large as asked for, and no larger', () => {
    const sample = new VectorSample(3, () => 0.999);
    for (let n = 0; n < 2; n++) sample.offer(point(n));
    expect(sample.all).toHaveLength(2);
    for (let n = 2; n < 100; n++) sample.offer(point(n));
    expect(sample.all.map(({ id }) => id)).toEqual(['0', '1', '2']);
  });

  it('takes every part of the walk alike (seed 4)', () => {
    let state = 4;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const quarters = [0, 0, 0, 0];
    for (let round = 0; round < 200; round++) {
      const sample = new VectorSample(20, random);
      for (let n = 0; n < 400; n++) sample.offer(point(n));
      for (const { id } of sample.all) quarters[Math.floor(Number(id) / 100)]!++;
    }
    // 1,000 expected in each.
    for (const count of quarters) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  it('is empty when nothing is asked for', () => {
    const sample = new VectorSample(0, () => 0);
    sample.offer(point(1));
    expect(sample.all).toEqual([]);
  });
});

import { measure, percentile } from './measure.js';
import { PlainScan } from './plain-scan.js';

describe('measure', () => {
  it('takes percentiles by rank', () => {
    const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([0.5, 0.95, 0.99, 1].map((share) => percentile(sorted, share))).toEqual([50, 95, 99, 100]);
    expect(percentile([7], 0.5)).toBe(7);
  });

  it('warms up first, and counts each call once', async () => {
    const calls: number[] = [];
    const timing = await measure('x', { count: 5, warmUp: 2, concurrency: 2 }, async (call) => calls.push(call));
    expect(calls).toEqual([-2, -1, 0, 1, 2, 3, 4]);
    expect(timing).toMatchObject({ name: 'x', count: 5 });
  });

  it('never has more under way than asked for', async () => {
    let now = 0;
    let most = 0;
    await measure('x', { count: 9, warmUp: 0, concurrency: 3 }, async () => {
      most = Math.max(most, ++now);
      await Promise.resolve();
      now--;
    });
    expect(most).toBe(3);
  });
});

describe('PlainScan', () => {
  it('finds a vector itself first', () => {
    let seed = 1;
    const random = (): number => ((seed = (seed * 16_807) % 2_147_483_647), seed / 2_147_483_647);
    const scan = new PlainScan(50, 16, random);
    expect(scan.search(scan.vector(17), 3)[0]).toBe(17);
    expect(scan.search(scan.vector(3), 3)).toHaveLength(3);
    expect(Math.hypot(...scan.vector(9))).toBeCloseTo(1, 6);
  });
});

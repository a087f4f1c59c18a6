import { refusalOf } from './delete-guard.js';

const guard = (orphans: number, points: number, rows = 1, isWhole = true): boolean =>
  refusalOf({ orphans, rows, points, isWhole }) !== null;

describe('refusalOf', () => {
  it.each([
    [50, 60, false],
    [51, 60, true],
    [51, 510, false],
    [100, 1_000, false],
    [101, 1_000, true],
    [10_000, 100_000, false],
    [10_001, 100_000, true],
    [0, 0, false],
  ])('%d orphans of %d points: %s', (orphans, points, isRefused) => {
    expect(guard(orphans, points)).toBe(isRefused);
  });

  it('stops at an empty source, however few points there are', () => {
    expect(guard(1, 1, 0)).toBe(true);
    expect(guard(1, 1, 0, false)).toBe(false);
  });
});

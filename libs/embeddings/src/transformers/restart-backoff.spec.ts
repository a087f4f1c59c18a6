import { restartDelayMs } from './restart-backoff.js';

describe('restartDelayMs', () => {
  it('answers a single death at once, then waits twice as long each time, at most 30 s', () => {
    expect([1, 2, 3, 4, 9, 10, 1000].map(restartDelayMs)).toEqual([0, 200, 400, 800, 25_600, 30_000, 30_000]);
  });
});

import { EventLoopWatch, type DelayHistogram } from './event-loop-watch.js';

/** A histogram that says what a test wants; nanoseconds. */
class HistogramDouble implements DelayHistogram {
  max = 0;
  resets = 0;
  percentile = (percentile: number): number => (percentile === 50 ? 21e6 : 25e6);
  enable = () => true;
  disable = () => true;
  reset(): void {
    this.resets++;
    this.max = 0;
  }
}

describe('EventLoopWatch', () => {
  const histogram = new HistogramDouble();
  class Watch extends EventLoopWatch {
    protected override makeHistogram(): DelayHistogram {
      return histogram;
    }
  }

  it('gives the worse of two windows, without the time between two samples, and forgets what is older', () => {
    jest.useFakeTimers();
    const watch = new Watch();
    watch.onApplicationBootstrap();
    histogram.max = 520e6;
    expect(watch.delay).toEqual({ p50Ms: 1, p99Ms: 5, maxMs: 500 });
    jest.advanceTimersByTime(30_000);
    expect(histogram.resets).toBe(1);
    expect(watch.delay.maxMs).toBe(500);
    histogram.max = 30e6;
    expect(watch.delay.maxMs).toBe(500);
    jest.advanceTimersByTime(30_000);
    expect(watch.delay.maxMs).toBe(10);
    watch.onApplicationShutdown();
    jest.useRealTimers();
  });

  it('is not late before anything was measured', () => {
    histogram.max = Number.NaN;
    histogram.percentile = () => Number.NaN;
    expect(new Watch().delay).toEqual({ p50Ms: 0, p99Ms: 0, maxMs: 0 });
  });
});

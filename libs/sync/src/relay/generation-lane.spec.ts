import { FixedClock } from '#testing';
import { GenerationLane } from './generation-lane.js';
import type { RelayPass } from './relay-pass.js';
import { emptySummary, type RunSummary } from './run-summary.js';

describe('GenerationLane', () => {
  const passOf = (count: number, summary: Partial<RunSummary> = {}) =>
    ({ entries: new Array<unknown>(count), summary: { ...emptySummary(), claimed: count, ...summary } }) as unknown as RelayPass;

  function start() {
    const clock = new FixedClock();
    return { clock, lane: new GenerationLane(clock, 10) };
  }

  it('has room for two batches', () => {
    const { lane } = start();
    const [one, two] = [passOf(10), passOf(10)];
    lane.begin(one);
    expect(lane.hasRoom).toBe(true);
    lane.begin(two);
    expect(lane.hasRoom).toBe(false);
    lane.end(one);
    expect(lane.hasRoom).toBe(true);
  });

  it('expects more after a full batch only, and only when there is room for it', () => {
    const { lane } = start();
    lane.claimed(passOf(9), 10);
    expect(lane.hasMore).toBe(false);
    lane.claimed(passOf(10), 10);
    expect(lane.hasMore).toBe(true);
    const [one, two] = [passOf(10), passOf(10)];
    lane.begin(one);
    lane.begin(two);
    expect(lane.hasMore).toBe(false);
    lane.end(one);
    expect(lane.hasMore).toBe(true);
    lane.claimed(null, 10);
    expect(lane.hasMore).toBe(false);
  });

  it('waits a second after a batch that was put back as a whole', () => {
    const { clock, lane } = start();
    lane.end(passOf(10, { paused: 9, synced: 1 }));
    expect(lane.hasRoom).toBe(true);
    lane.end(passOf(10, { paused: 10 }));
    expect(lane.hasRoom).toBe(false);
    clock.advance(1_000);
    expect(lane.hasRoom).toBe(true);
  });

  it('pays for retries that fail, and gets the others back', () => {
    const { lane } = start();
    const pass = passOf(10, { retries: 8, failedRetries: 3, synced: 0 });
    lane.claimed(pass, 10);
    expect(lane.budget.available).toBe(20 - 8);
    lane.end(pass);
    expect(lane.budget.available).toBe(20 - 3);
  });
});

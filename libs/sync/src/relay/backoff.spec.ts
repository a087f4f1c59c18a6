import { FixedClock } from '#testing';
import { backoffMs } from './backoff.js';
import { chunksByAttempts } from './chunks-by-attempts.js';
import { ProviderGate } from './provider-gate.js';
import { RelayCounters } from './relay-counters.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';

describe('backoffMs', () => {
  it('doubles with each attempt, up to five minutes, and is spread over the whole range', () => {
    const upper = (attempts: number) => backoffMs(attempts, () => 0.999_999);
    expect([1, 2, 3, 4].map(upper)).toEqual([499, 999, 1999, 3999]);
    expect(upper(40)).toBe(299_999);
    expect(upper(4000)).toBe(299_999);
    expect(backoffMs(5, () => 0)).toBe(0);
    expect(backoffMs(1, () => 0.5)).toBe(250);
  });
});

describe('ProviderGate', () => {
  it('stays closed as long as the provider asked for', () => {
    const clock = new FixedClock();
    const gate = new ProviderGate(clock, () => 0.5);
    expect(gate.isClosed).toBe(false);
    expect(gate.close(5_000)).toBe(5_000);
    clock.advance(4_999);
    expect(gate.isClosed).toBe(true);
    clock.advance(1);
    expect(gate.isClosed).toBe(false);
  });

  it('waits longer from pause to pause, and short again after a success', () => {
    const clock = new FixedClock();
    const gate = new ProviderGate(clock, () => 0.999_999);
    const pauses = Array.from({ length: 12 }, () => {
      const ms = gate.close();
      clock.advance(ms);
      return ms;
    });
    expect(pauses[0]).toBeLessThan(pauses[1]!);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(15_100);
    gate.succeed();
    expect(gate.close()).toBe(pauses[0]);
  });

  it('is not closed longer by calls that fail together', () => {
    const gate = new ProviderGate(new FixedClock(), () => 0.5);
    const first = gate.close();
    expect(gate.close()).toBe(first);
    expect(gate.close(10_000)).toBe(10_000);
  });
});

describe('chunksByAttempts', () => {
  const entries = (attempts: number, count: number) => Array.from({ length: count }, () => ({ attempts }) as ClaimedEntry);
  const sizes = (...groups: ClaimedEntry[][]) => chunksByAttempts(groups.flat(), 64).map(({ length }) => length);

  it('keeps new entries together and halves with each attempt', () => {
    expect(sizes(entries(1, 64))).toEqual([64]);
    expect(sizes(entries(2, 64))).toEqual([32, 32]);
    expect(sizes(entries(7, 3))).toEqual([1, 1, 1]);
    expect(sizes(entries(500, 2))).toEqual([1, 1]);
    expect(sizes(entries(3, 20), entries(1, 10))).toEqual([10, 16, 4]);
  });
});

describe('RelayCounters', () => {
  it('puts a lag into the first bucket that holds it', () => {
    const counters = new RelayCounters();
    [10, 50, 51, 9_999_999].forEach((lagMs) => counters.lag.observe(lagMs));
    expect(counters.lag.counts[0]).toBe(2);
    expect(counters.lag.counts[1]).toBe(1);
    expect(counters.lag.counts.at(-1)).toBe(1);
  });
});

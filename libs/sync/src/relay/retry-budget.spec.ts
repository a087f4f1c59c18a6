import { FixedClock } from '#testing';
import { RetryBudget } from './retry-budget.js';

describe('RetryBudget', () => {
  const BATCH = 10;

  it('allows two batches of failing retries at once, then five a second', () => {
    const clock = new FixedClock();
    const budget = new RetryBudget(clock, BATCH);
    let failed = 0;
    const failAll = (): void => {
      const retries = budget.available;
      budget.take(retries);
      budget.settle(retries, retries, 0);
      failed += retries;
    };
    failAll();
    expect(failed).toBe(20);
    expect(budget.available).toBe(0);
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000);
      failAll();
    }
    expect(failed).toBe(20 + 5 * 60);
    expect(budget.status()).toEqual({ available: 0, capacity: 20, spent: failed });
  });

  it('lets retries that succeed go on at full pace', () => {
    const budget = new RetryBudget(new FixedClock(), BATCH);
    for (let batch = 0; batch < 100; batch++) {
      expect(budget.available).toBeGreaterThanOrEqual(BATCH);
      budget.take(BATCH);
      budget.settle(BATCH, 0, BATCH);
    }
    expect(budget.status()).toEqual({ available: 20, capacity: 20, spent: 0 });
  });

  it('earns a retry with ten successes', () => {
    const budget = new RetryBudget(new FixedClock(), BATCH);
    budget.take(20);
    budget.settle(20, 20, 0);
    budget.settle(0, 0, 9);
    expect(budget.available).toBe(0);
    budget.settle(0, 0, 1);
    expect(budget.available).toBe(1);
  });

  it('holds a token for each retry that is under way', () => {
    const budget = new RetryBudget(new FixedClock(), BATCH);
    budget.take(15);
    expect(budget.available).toBe(5);
    budget.take(10);
    expect(budget.available).toBe(0);
    budget.settle(15, 0, 0);
    expect(budget.available).toBe(10);
  });

  it('saves up no more than its capacity', () => {
    const clock = new FixedClock();
    const budget = new RetryBudget(clock, BATCH);
    budget.settle(0, 0, 1_000_000);
    clock.advance(1_000_000);
    expect(budget.available).toBe(20);
  });
});

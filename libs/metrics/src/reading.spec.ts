import { FixedClock } from '#testing';
import { Reading } from './reading.js';

describe('Reading', () => {
  const clock = new FixedClock(new Date('2026-01-01T00:00:00Z'));
  let asked: number;
  let failures: string[];

  beforeEach(() => {
    asked = 0;
    failures = [];
  });

  const reading = (ask: () => Promise<number>) =>
    new Reading({
      name: 'ledger',
      ask: () => {
        asked++;
        return ask();
      },
      clock,
      onFailure: (name) => failures.push(name),
    });

  it('asks once in ten seconds, however many want to know', async () => {
    const ledger = reading(() => Promise.resolve(asked));
    expect(await Promise.all([ledger.value(), ledger.value(), ledger.value()])).toEqual([1, 1, 1]);
    clock.advance(9_999);
    expect(await ledger.value()).toBe(1);
    clock.advance(1);
    expect(await ledger.value()).toBe(2);
    expect([asked, failures]).toEqual([2, []]);
  });

  it('asks less often for what takes long', async () => {
    const ledger = reading(async () => {
      clock.advance(1_000);
      return asked;
    });
    await ledger.value();
    clock.advance(49_999);
    await ledger.value();
    expect(asked).toBe(1);
    clock.advance(1);
    await ledger.value();
    expect(asked).toBe(2);
  });

  it('has no value while there is no answer, counts that, and asks again later', async () => {
    let isAway = true;
    const ledger = reading(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(7)));
    expect(await ledger.value()).toBeNull();
    expect(await ledger.value()).toBeNull();
    expect([asked, failures]).toEqual([1, ['ledger']]);
    isAway = false;
    clock.advance(10_000);
    expect(await ledger.value()).toBe(7);
  });

  it('does not wait for what never answers', async () => {
    jest.useFakeTimers();
    try {
      const value = reading(() => new Promise<never>(() => undefined)).value();
      await jest.advanceTimersByTimeAsync(2_000);
      expect(await value).toBeNull();
      expect(failures).toEqual(['ledger']);
    } finally {
      jest.useRealTimers();
    }
  });
});

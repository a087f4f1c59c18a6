import { FixedClock } from '#testing';
import { VectorStoreError, type VectorStoreErrorKind } from '../vector-store-error.js';
import { SearchBreaker } from './search-breaker.js';

const TIMEOUT_MS = 2_000;

describe('SearchBreaker', () => {
  let clock: FixedClock;
  let states: string[];
  let breaker: SearchBreaker;
  beforeEach(() => {
    [clock, states] = [new FixedClock(), []];
    breaker = new SearchBreaker(clock, TIMEOUT_MS, (state) => states.push(state));
  });

  const fails = (kind: VectorStoreErrorKind, retryAfterMs?: number) => () =>
    Promise.reject(new VectorStoreError(kind, 'no', { retryAfterMs }));
  /** What became of one call: its outcome, or that it was held back. */
  const run = async (call: () => Promise<unknown>) => {
    const attempt = breaker.tryRun(call);
    if (attempt === null) return 'held back';
    return attempt.result.then(
      () => 'answered',
      (error: unknown) => (error instanceof VectorStoreError ? error.kind : error),
    );
  };
  const answers = () => Promise.resolve(1);
  const open = async (call = fails('unavailable')) => {
    for (let n = 0; n < 5; n++) await run(call);
    expect(states.at(-1)).toBe('open');
  };

  it('opens after five failures in a row, and not after four', async () => {
    for (let n = 0; n < 4; n++) await run(fails('unavailable'));
    expect([await run(answers), states]).toEqual(['answered', []]);
    for (let n = 0; n < 4; n++) await run(fails('throttled'));
    expect(states).toEqual([]);
    await run(fails('throttled'));
    expect([await run(answers), states]).toEqual(['held back', ['open']]);
  });

  it.each(['rejected', 'collection-missing', 'dimension-mismatch', 'point-missing', 'invalid-point'] as const)(
    'never opens for %s: the index has answered',
    async (kind) => {
      for (let n = 0; n < 20; n++) expect(await run(fails(kind))).toBe(kind);
      expect([await run(answers), states]).toEqual(['answered', []]);
    },
  );

  it('never opens for a defect of the caller', async () => {
    for (let n = 0; n < 20; n++) await run(() => Promise.reject(new TypeError('a bug')));
    expect(states).toEqual([]);
  });

  it('lets nothing through while it is open', async () => {
    await open();
    const call = jest.fn(answers);
    clock.advance(1_999);
    expect([await run(call), breaker.closedForMs]).toEqual(['held back', 1]);
    expect(call).not.toHaveBeenCalled();
  });

  it('lets exactly one call through per window, and makes nobody wait for it', async () => {
    await open();
    for (let window = 0; window < 3; window++) {
      clock.advance(2_000);
      const { promise, reject } = Promise.withResolvers<unknown>();
      const probe = breaker.tryRun(() => promise)!;
      expect(probe.isProbe).toBe(true);
      expect(Array.from({ length: 100 }, () => breaker.tryRun(answers))).toEqual(new Array(100).fill(null));
      reject(new VectorStoreError('unavailable', 'still away'));
      await expect(probe.result).rejects.toThrow('still away');
      expect(breaker.tryRun(answers)).toBeNull();
    }
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'open', 'half-open', 'open']);
  });

  it('closes with the probe that succeeds, and counts from zero again', async () => {
    await open();
    clock.advance(2_000);
    expect(await run(answers)).toBe('answered');
    for (let n = 0; n < 4; n++) await run(fails('unavailable'));
    expect([await run(answers), states]).toEqual(['answered', ['open', 'half-open', 'closed']]);
  });

  it('waits as long as the server asks for, within reason', async () => {
    await open(fails('throttled', 9_000));
    clock.advance(8_999);
    expect(await run(answers)).toBe('held back');
    clock.advance(1);
    expect(await run(fails('throttled', 3_600_000))).toBe('throttled');
    clock.advance(29_999);
    expect(await run(answers)).toBe('held back');
    clock.advance(1);
    expect(await run(answers)).toBe('answered');
  });

  it('does not follow steps of the wall clock', async () => {
    jest.useFakeTimers({
      doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'],
      now: Date.parse('2030-01-01T12:00:00Z'),
    });
    try {
      await open();
      jest.setSystemTime(Date.parse('2030-01-01T10:00:00Z'));
      clock.advance(2_000);
      expect(await run(answers)).toBe('answered');
    } finally {
      jest.useRealTimers();
    }
  });

  it('gives up on a call that takes too long, and counts it', async () => {
    jest.useFakeTimers();
    try {
      const hanging = Array.from({ length: 5 }, () => run(() => new Promise(() => undefined)));
      await jest.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
      expect(states).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      expect(await Promise.all(hanging)).toEqual(new Array(5).fill('unavailable'));
      expect(states).toEqual(['open']);
    } finally {
      jest.useRealTimers();
    }
  });
});

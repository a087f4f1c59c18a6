import { CronTimes } from './cron-times.js';

const at = (text: string): Date => new Date(text);

describe('CronTimes', () => {
  it.each([
    ['*/5 * * * *', '2026-11-25T14:59:59.999Z', '2026-11-25T15:00:00.000Z'],
    ['*/5 * * * *', '2026-11-25T15:00:00.000Z', '2026-11-25T15:05:00.000Z'],
    ['*/5 * * * *', '2026-11-25T15:00:00.001Z', '2026-11-25T15:05:00.000Z'],
    ['17 3 * * *', '2026-12-31T03:17:00.000Z', '2027-01-01T03:17:00.000Z'],
    ['0 0 31 * *', '2026-01-31T00:00:00.000Z', '2026-03-31T00:00:00.000Z'],
    ['59 23 29 2 *', '2026-02-01T00:00:00.000Z', '2028-02-29T23:59:00.000Z'],
    ['0 0 1 * *', '2026-11-30T23:59:59.500Z', '2026-12-01T00:00:00.000Z'],
    // Hours that do not exist, or exist twice, in places with summer time.
    ['30 2 * * *', '2026-03-29T00:00:00.000Z', '2026-03-29T02:30:00.000Z'],
    ['30 0 * * *', '2026-10-25T00:00:00.000Z', '2026-10-25T00:30:00.000Z'],
    ['30 * * * *', '2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z'],
    ['*/10 * * * * *', '2026-11-25T15:00:55.000Z', '2026-11-25T15:01:00.000Z'],
  ])('%s after %s is %s', (expression, after, next) => {
    expect(new CronTimes(expression).next(at(after)).toISOString()).toBe(next);
  });

  it('finds the latest time of a stretch, and none in a stretch without one', () => {
    const times = new CronTimes('* * * * *');
    expect(times.latestIn(at('2026-11-30T23:57:30Z'), at('2026-12-01T00:00:05Z'))).toEqual(at('2026-12-01T00:00:00Z'));
    expect(times.latestIn(at('2026-11-30T23:59:00Z'), at('2026-11-30T23:59:59.999Z'))).toBeNull();
    expect(times.latestIn(at('2026-11-30T23:59:00Z'), at('2026-12-01T00:00:00Z'))).toEqual(at('2026-12-01T00:00:00Z'));
  });

  it('finds nothing in a stretch that runs backwards, as after a change to a server whose clock is behind', () => {
    expect(new CronTimes('* * * * *').latestIn(at('2026-11-30T23:59:00Z'), at('2026-11-30T22:59:00Z'))).toBeNull();
  });
});

import { parseRetryAfterMs } from './retry-after.js';

const NOW = new Date('2030-01-01T00:00:00.500Z');

describe('parseRetryAfterMs', () => {
  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 20 ', 20_000],
    ['999999999999', 3_600_000],
    ['Tue, 01 Jan 2030 00:00:10 GMT', 9_500],
    ['Tuesday, 01-Jan-30 00:00:10 GMT', 9_500],
    ['Mon, 31 Dec 2029 23:00:00 GMT', 0],
    ['Wed, 02 Jan 2030 00:00:00 GMT', 3_600_000],
  ])('reads %j as %d ms', (header, ms) => {
    expect(parseRetryAfterMs(header, NOW)).toBe(ms);
  });

  it.each([null, '', 'soon', '-', 'NaN'])('does not understand %j', (header) => {
    expect(parseRetryAfterMs(header, NOW)).toBeUndefined();
  });
});

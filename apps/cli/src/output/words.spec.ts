import { durationText, timeText } from './words.js';

describe('words for people', () => {
  it.each([
    [null, '-'],
    [0, '0 s'],
    [0.44, '0.4 s'],
    [59.6, '60 s'],
    [90, '1.5 min'],
    [7_200, '2 h'],
    [864_000, '10 d'],
  ])('%p seconds are %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });

  it('cuts a time to the second', () => {
    expect(timeText('2026-11-21T08:00:00.123Z')).toBe('2026-11-21 08:00:00Z');
    expect(timeText('2026-11-21T08:00:00Z')).toBe('2026-11-21 08:00:00Z');
    expect(timeText(null)).toBe('-');
  });
});

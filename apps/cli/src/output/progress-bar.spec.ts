import { partsText, progressBar } from './progress-bar.js';

describe('progress', () => {
  it('draws a bar', () => {
    expect(progressBar(0)).toBe('[------------------------]');
    expect(progressBar(0.5)).toBe('[############------------]');
    expect(progressBar(7)).toBe('[########################]');
  });

  it('tells how far it is, how fast, and how long it will take; with a bar on a terminal only', () => {
    expect(partsText(50, 200, 1_000, false)).toBe('25 %, 50 of 200, 50/s, 3 s left');
    expect(partsText(50, 200, 1_000, true)).toMatch(/^\[#{6}-{18}\] 25 %/);
    expect(partsText(0, 200, 0, false)).toBe('0 %, 0 of 200, 0/s');
    expect(partsText(0, 0, 10, false)).toBe('100 %, 0 of 0, 0/s');
  });
});

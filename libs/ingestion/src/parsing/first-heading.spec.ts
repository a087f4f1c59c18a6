import { firstHeading } from './first-heading.js';

describe('firstHeading', () => {
  it.each([
    ['# Oak and ash\n\ntext', 'Oak and ash'],
    ['intro\r\n\r\n## Second level ##\r\ntext', 'Second level'],
    ['### C#', 'C#'],
    ['Oak and ash\n===========\ntext', 'Oak and ash'],
    ['  Oak\n---', 'Oak'],
    ['#\n# Real', 'Real'],
    ['## ##\n# Real', 'Real'],
    ['text #not a heading\n#neither', null],
    ['- a list\n---\n', null],
    ['1. a list\n---\n', null],
    ['\n---\n', null],
    ['    code\n===', null],
    ['', null],
    [`# ${'x'.repeat(2_000)}\n# Short`, 'Short'],
  ])('of %j is %j', (markdown, heading) => {
    expect(firstHeading(markdown)).toBe(heading);
  });

  it('is found in linear time', () => {
    const startedAtMs = performance.now();
    for (const text of [
      '#'.repeat(300_000),
      `# a${' '.repeat(300_000)}b`,
      'a '.repeat(150_000),
      '#a\n'.repeat(100_000),
      `# a${' '.repeat(900)}b#\n`.repeat(300),
    ])
      firstHeading(text);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });
});

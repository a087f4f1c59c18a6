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
    ['---\ntitle: Oak\nauthor: x\n---\n\n# Real', 'Real'],
    ['---\r\ntitle: Oak\r\n...\r\nReal\r\n===\r\n', 'Real'],
    ['---\ntitle: Oak\n---\nno heading', null],
    ['---\n# Real', 'Real'],
    ['\n---\nno: front matter\n---\n', 'no: front matter'],
    ['```sh\n# comment\n```\n# Real', 'Real'],
    ['~~~~\n# comment\n~~~\n# comment\n~~~~~\n# Real', 'Real'],
    ['text\n```\ncode\n```\n---\n# Real', 'Real'],
    ['```sh\n# never closed', null],
    ['```code``` in a sentence\n# Real', 'Real'],
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
      '---\n'.repeat(75_000),
      `---\n${'a\n'.repeat(150_000)}`,
      '```a\n'.repeat(60_000),
      `${'`'.repeat(900)}a\n`.repeat(300),
      `# a${' '.repeat(900)}b#\n`.repeat(300),
    ])
      firstHeading(text);
    expect(performance.now() - startedAtMs).toBeLessThan(500);
  });
});

import { fail, findingText, ok, reasonOf, skipped, summaryOf, warn } from './finding.js';

describe('findings', () => {
  it('is one line each, with what to do below', () => {
    expect(findingText(ok('Node.js', 'v24'), false)).toBe('ok    Node.js');
    expect(findingText(ok('Node.js', 'v24'), true)).toBe('ok    Node.js: v24');
    expect(findingText(skipped('port', 'held'), false)).toBe('skip  port: held');
    expect(findingText(fail('database', 'away', 'Start it.'), false)).toBe('FAIL  database: away\n      Start it.');
  });

  it('adds them up', () => {
    expect(summaryOf([ok('a', ''), skipped('b', '')])).toBe('Everything that was looked at is well.');
    expect(summaryOf([ok('a', ''), warn('b', '', ''), fail('c', '', ''), fail('d', '', '')])).toBe('2 failed, 1 to look at.');
  });

  it('finds the reason at the bottom', () => {
    expect(reasonOf(new Error('outer', { cause: new Error('inner') }))).toBe('inner');
    expect(reasonOf(new AggregateError([new Error('v6'), new Error('v4')], ''))).toBe('v6; v4');
    expect(reasonOf('text')).toBe('text');
  });
});

import { valuesOf } from '../alert-rules.js';
import { evaluate } from './evaluate.js';
import { parsePromQl } from './parse.js';

const at = (expr: string, seconds: number, ...series: [string, Record<string, string>, string][]) =>
  evaluate(
    parsePromQl(expr),
    series.map(([name, labels, values]) => ({ name, labels, values: valuesOf(values) })),
    seconds,
  );

describe('the small evaluator of PromQL', () => {
  it('reads the values of promtool', () => {
    expect(valuesOf('1x2 _x2 0+5x2 7')).toEqual([1, 1, 1, null, null, 0, 5, 10, 7]);
  });

  it('takes the last value, for five minutes after it has gone', () => {
    expect(at('a{x="1"}', 30, ['a', { x: '1' }, '1+1x4'], ['a', { x: '2' }, '9x4'])).toEqual([{ labels: { x: '1' }, value: 3 }]);
    expect(at('a', 299, ['a', {}, '1'])).toHaveLength(1);
    expect(at('a', 301, ['a', {}, '1'])).toEqual([]);
  });

  it('counts growth, and takes a fall for a new beginning', () => {
    expect(at('rate(a[1m])', 60, ['a', {}, '0+30x8'])).toEqual([{ labels: {}, value: 2 }]);
    expect(at('increase(a[1m])', 60, ['a', {}, '100 110 5 10 20'])).toEqual([{ labels: {}, value: (5 + 5 + 10) * (60 / 45) }]);
  });

  it('adds up by labels, and divides like by like', () => {
    const series: [string, Record<string, string>, string][] = [
      ['bad', { i: 'a', e: 'x' }, '1'],
      ['bad', { i: 'a', e: 'y' }, '2'],
      ['all', { i: 'a' }, '10'],
      ['all', { i: 'b' }, '10'],
    ];
    expect(at('sum by (i) (bad) / all', 0, ...series)).toEqual([{ labels: { i: 'a' }, value: 0.3 }]);
    expect(at('all and sum by (i) (bad) > 2', 0, ...series)).toEqual([{ labels: { i: 'a' }, value: 10 }]);
    expect(at('max(all) >= 10', 0, ...series)).toEqual([{ labels: {}, value: 10 }]);
  });

  it('finds a quantile inside its bucket', () => {
    const bucket = (le: string, count: string): [string, Record<string, string>, string] => ['b', { le }, count];
    expect(at('histogram_quantile(0.9, b)', 0, bucket('0.1', '80'), bucket('0.2', '100'), bucket('+Inf', '100'))).toEqual([
      { labels: {}, value: expect.closeTo(0.15) },
    ]);
    expect(at('histogram_quantile(0.9, b)', 0, bucket('0.1', '0'), bucket('+Inf', '100'))).toEqual([{ labels: {}, value: 0.1 }]);
  });

  it.each(['sum by (a', 'a +', 'a{b=~"c"}', 'rate(a)', 'avg(a)', 'a offset 5m', 'a b'])('refuses %s', (text) => {
    expect(() => at(text, 0)).toThrow();
  });
});

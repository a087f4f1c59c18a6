import type { BinaryOperator, Expression } from './parse.js';

export type Labels = Readonly<Record<string, string>>;

/** A series with one value per step, from the time 0 on; `null` = it was absent. */
export interface FixedSeries {
  readonly name: string;
  readonly labels: Labels;
  readonly values: readonly (number | null)[];
}

export interface Element {
  readonly labels: Labels;
  readonly value: number;
}

/** Seconds between two values of a fixed series, and between two evaluations. */
export const STEP_SECONDS = 15;
/** How long a value counts after its series has gone, as in Prometheus. */
const LOOKBACK_SECONDS = 300;

const COMPARE: Readonly<Record<Exclude<BinaryOperator, 'and' | '/' | '*'>, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '==': (a, b) => a === b,
};

/**
 * The value of an expression at a time, over fixed series.
 *
 * As Prometheus, but that `rate` is the growth between the first and the last value of the range by the time between them, and is not extrapolated.
 */
export function evaluate(expression: Expression, series: readonly FixedSeries[], atSeconds: number): Element[] | number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'selector':
      return instant(expression, series, atSeconds);
    case 'call':
      return expression.name === 'histogram_quantile'
        ? quantile(
            scalar(evaluate(expression.parameters[0]!, series, atSeconds)),
            vector(evaluate(expression.parameters[1]!, series, atSeconds)),
          )
        : growth(expression.name, expression.parameters[0]!, series, atSeconds);
    case 'aggregate':
      return aggregate(expression.operator, expression.by, vector(evaluate(expression.of, series, atSeconds)));
    case 'binary':
      return combine(expression.operator, evaluate(expression.left, series, atSeconds), evaluate(expression.right, series, atSeconds));
  }
}

type Selector = Extract<Expression, { kind: 'selector' }>;

function matching({ name, labels }: Selector, series: readonly FixedSeries[]): FixedSeries[] {
  return series.filter((one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value));
}

/** The values of the series in (from, to], with their times. */
function within({ values }: FixedSeries, fromSeconds: number, toSeconds: number): { readonly at: number; readonly value: number }[] {
  return values.flatMap((value, index) => {
    const at = index * STEP_SECONDS;
    return value === null || at <= fromSeconds || at > toSeconds ? [] : [{ at, value }];
  });
}

function instant(selector: Selector, series: readonly FixedSeries[], atSeconds: number): Element[] {
  return matching(selector, series).flatMap((one) => {
    const last = within(one, atSeconds - LOOKBACK_SECONDS, atSeconds).at(-1);
    return last === undefined ? [] : [{ labels: one.labels, value: last.value }];
  });
}

function growth(name: 'rate' | 'increase', selector: Expression, series: readonly FixedSeries[], atSeconds: number): Element[] {
  if (selector.kind !== 'selector' || selector.rangeSeconds === null) throw new Error(`${name} needs a range`);
  const { rangeSeconds } = selector;
  return matching(selector, series).flatMap(({ labels, ...one }) => {
    const points = within({ labels, ...one }, atSeconds - rangeSeconds, atSeconds);
    if (points.length < 2) return [];
    // A counter that falls has begun anew.
    const grown = points
      .slice(1)
      .reduce((sum, { value }, index) => sum + (value < points[index]!.value ? value : value - points[index]!.value), 0);
    const perSecond = grown / (points.at(-1)!.at - points[0]!.at);
    return [{ labels, value: name === 'rate' ? perSecond : perSecond * rangeSeconds }];
  });
}

function aggregate(operator: 'sum' | 'max', by: readonly string[], elements: readonly Element[]): Element[] {
  const groups = new Map<string, Element>();
  for (const { labels, value } of elements) {
    const kept = Object.fromEntries(by.filter((label) => labels[label] !== undefined).map((label) => [label, labels[label]!]));
    const key = keyOf(kept);
    const known = groups.get(key);
    groups.set(key, {
      labels: kept,
      value: known === undefined ? value : operator === 'sum' ? known.value + value : Math.max(known.value, value),
    });
  }
  return [...groups.values()];
}

function quantile(share: number, buckets: readonly Element[]): Element[] {
  const groups = new Map<string, { readonly labels: Labels; readonly bounds: { readonly le: number; readonly count: number }[] }>();
  for (const {
    labels: { le = '', ...labels },
    value,
  } of buckets) {
    const key = keyOf(labels);
    if (!groups.has(key)) groups.set(key, { labels, bounds: [] });
    groups.get(key)!.bounds.push({ le: le === '+Inf' ? Infinity : Number(le), count: value });
  }
  return [...groups.values()].flatMap(({ labels, bounds }) => {
    const sorted = bounds.sort((a, b) => a.le - b.le);
    const total = sorted.at(-1)!.count;
    if (total === 0) return [];
    const rank = share * total;
    const index = sorted.findIndex(({ count }) => count >= rank);
    const { le, count } = sorted[index]!;
    const before = sorted[index - 1] ?? { le: 0, count: 0 };
    if (le === Infinity) return [{ labels, value: before.le }];
    return [{ labels, value: before.le + ((le - before.le) * (rank - before.count)) / (count - before.count) }];
  });
}

function combine(operator: BinaryOperator, left: Element[] | number, right: Element[] | number): Element[] | number {
  if (typeof left === 'number') throw new Error('A number stands on the right');
  const partners = typeof right === 'number' ? null : new Map(right.map(({ labels, value }) => [keyOf(labels), value]));
  return left.flatMap(({ labels, value }) => {
    const other = partners === null ? (right as number) : partners.get(keyOf(labels));
    if (other === undefined) return [];
    if (operator === 'and') return [{ labels, value }];
    if (operator === '/') return [{ labels, value: value / other }];
    if (operator === '*') return [{ labels, value: value * other }];
    return COMPARE[operator](value, other) ? [{ labels, value }] : [];
  });
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort());
}

function vector(value: Element[] | number): Element[] {
  if (typeof value === 'number') throw new Error('A vector is needed');
  return value;
}

function scalar(value: Element[] | number): number {
  if (typeof value !== 'number') throw new Error('A number is needed');
  return value;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { evaluate, STEP_SECONDS, type Element, type FixedSeries } from './promql/evaluate.js';
import { parsePromQl, secondsOf } from './promql/parse.js';

export const ROOT = join(__dirname, '..', '..', '..');

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function readAlertRules(): AlertRule[] {
  const { groups } = parse(readFileSync(join(ROOT, 'deploy/observability/prometheus-alerts.yml'), 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

/** What the rule fires for at that time, when it is evaluated every {@link STEP_SECONDS} from 0 on. */
export function firing(rule: AlertRule, series: readonly FixedSeries[], atSeconds: number): Element[] {
  const expression = parsePromQl(rule.expr);
  const holdSeconds = rule.for === undefined ? 0 : secondsOf(rule.for);
  const since = new Map<string, number>();
  let fires: Element[] = [];
  for (let now = 0; now <= atSeconds; now += STEP_SECONDS) {
    const active = evaluate(expression, series, now) as Element[];
    const keys = new Map(active.map((element) => [JSON.stringify(Object.entries(element.labels).sort()), element]));
    for (const key of since.keys()) if (!keys.has(key)) since.delete(key);
    for (const key of keys.keys()) if (!since.has(key)) since.set(key, now);
    fires = [...keys].filter(([key]) => now - since.get(key)! >= holdSeconds).map(([, element]) => element);
  }
  return fires;
}

/**
 * Values of a fixed series, one every {@link STEP_SECONDS}, as promtool writes them: `1x3` = 1 four times, `0+5x3` = 0 5 10 15, `_x3` = absent three times.
 */
export function valuesOf(text: string): (number | null)[] {
  return text.split(' ').flatMap((part): (number | null)[] => {
    const [, start, step = '0', times = '0'] = /^(-?[\d.]+|_)(?:\+([\d.]+))?(?:x(\d+))?$/.exec(part) ?? [];
    if (start === undefined) throw new Error(`Not values: ${part}`);
    if (start === '_') return new Array<null>(Number(times)).fill(null);
    return Array.from({ length: Number(times) + 1 }, (_, index) => Number(start) + index * Number(step));
  });
}

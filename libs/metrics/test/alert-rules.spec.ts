import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALERT_CASES, type AlertCase } from './alert-cases.js';
import { firing, readAlertRules, ROOT, type AlertRule } from './alert-rules.js';
import { catalogOfAll } from './catalog.js';
import { parsePromQl, selectorsOf } from './promql/parse.js';

/** Prometheus makes it itself. */
const OF_PROMETHEUS = 'up';
const LAST_NUMBER = /([\d.]+)\s*$/;

const rules = readAlertRules();
const casesOf = ({ alert }: AlertRule) => ALERT_CASES.filter((one) => one.alert === alert);
const holds = (rule: AlertRule, { series, at, fires }: AlertCase) => firing(rule, series, at).length > 0 === fires;

/** The same rule with another threshold. */
function withOtherThreshold(rule: AlertRule): AlertRule {
  const expr = LAST_NUMBER.test(rule.expr)
    ? rule.expr.replace(LAST_NUMBER, (number) => String(Number(number) === 0 ? 10 : 3 * Number(number)))
    : `${rule.expr} * 3`;
  return { ...rule, expr };
}

describe('alert rules', () => {
  it.each(ALERT_CASES)('$alert: $what, fires: $fires', ({ alert, series, at, fires }) => {
    const rule = rules.find((one) => one.alert === alert)!;
    expect(firing(rule, series, at).length > 0).toBe(fires);
  });

  it.each(rules)('$alert: its cases notice another threshold', (rule) => {
    const cases = casesOf(rule);
    expect(cases.map(({ fires }) => fires)).toEqual(expect.arrayContaining([true, false]));
    expect(cases.every((one) => holds(withOtherThreshold(rule), one))).toBe(false);
  });

  it.each(rules.filter((rule) => rule.for !== undefined))('$alert: its cases notice when it does not wait', (rule) => {
    expect(casesOf(rule).every((one) => holds({ ...rule, for: '0s' }, one))).toBe(false);
  });

  it('have no case for a rule that is not there', () => {
    expect(new Set(ALERT_CASES.map(({ alert }) => alert))).toEqual(new Set(rules.map(({ alert }) => alert)));
  });

  it('look at series that exist', () => {
    const known = new Map(catalogOfAll().map(({ name, type }) => [name, type]));
    for (const { alert, expr } of rules) {
      for (const { name } of selectorsOf(parsePromQl(expr))) {
        const family = name.replace(/_(bucket|sum|count)$/, '');
        expect([
          alert,
          name,
          name === OF_PROMETHEUS || known.has(name) || ['histogram', 'summary'].includes(known.get(family) ?? ''),
        ]).toEqual([alert, name, true]);
      }
    }
  });

  it('say how bad it is, what it is, and where to read on', () => {
    const operations = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const anchors = [...operations.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const { alert, labels, annotations } of rules) {
      expect(['critical', 'warning']).toContain(labels['severity']);
      expect(Object.keys(annotations).sort()).toEqual(['description', 'runbook', 'summary']);
      const [file, anchor] = annotations['runbook']!.split('#');
      expect([alert, file, anchors.includes(anchor!)]).toEqual([alert, 'docs/operations.md', true]);
    }
  });
});

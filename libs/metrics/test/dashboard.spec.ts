import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './alert-rules.js';
import { catalogOfAll } from './catalog.js';
import { evaluate } from './promql/evaluate.js';
import { parsePromQl, selectorsOf } from './promql/parse.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

const dashboard = JSON.parse(readFileSync(join(ROOT, 'deploy/observability/grafana-dashboard.json'), 'utf8')) as {
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly Panel[];
};

describe('the Grafana dashboard', () => {
  it('asks for its data source, and every panel uses that', () => {
    expect(dashboard.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource' }]);
    const sources = dashboard.panels.flatMap(({ type, datasource, targets = [] }) =>
      type === 'row' ? [] : [datasource?.uid, ...targets.map((target) => target.datasource.uid)],
    );
    expect(new Set(sources)).toEqual(new Set(['${datasource}']));
  });

  it('has panels that do not overlap, each with its own id', () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true);
  });

  it('asks for series that exist, in words that are understood', () => {
    const known = new Map(catalogOfAll().map(({ name, type }) => [name, type]));
    const asked = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
    expect(asked.length).toBeGreaterThan(30);
    for (const { title, expr } of asked) {
      const expression = parsePromQl(expr);
      expect(evaluate(expression, [], 0)).toEqual([]);
      for (const { name } of selectorsOf(expression)) {
        const type = known.get(name.replace(/_(bucket|sum|count)$/, ''));
        expect([title, name, known.has(name) || type === 'histogram' || type === 'summary']).toEqual([title, name, true]);
      }
    }
  });

  it.each(['Search latency', 'Points', 'Error rate', 'Throughput', 'Oldest pending', 'Queue', 'p95 by lane', 'Memory'])(
    'shows %s',
    (title) => {
      expect(dashboard.panels.some((panel) => panel.title.startsWith(title))).toBe(true);
    },
  );
});

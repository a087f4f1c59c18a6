import { randomOf } from '../bench/texts.js';
import { evaluate, summarise } from './evaluation.js';
import { renderReport } from './report.js';
import type { Mode, Searcher } from './searcher.js';

const SET = {
  queries: [
    { id: '1', text: 'oak', language: 'en', style: 'keywords', relevant: new Map([['a', 3]]) },
    { id: '2', text: 'Eiche', language: 'de', style: 'keywords', relevant: new Map([['b', 1]]) },
    { id: '3', text: 'hard wood', language: 'en', style: 'paraphrase', relevant: new Map([['a', 2]]) },
  ],
  unjudged: 1,
};

/** Finds `a` by vector whatever is asked, and everything by keyword. */
class FakeSearcher implements Searcher {
  readonly depths = new Set<number>();

  async search(_set: string, query: string, mode: Mode, k: number): Promise<string[]> {
    this.depths.add(k);
    if (mode === 'keyword') return query === 'Eiche' ? ['x', 'b'] : ['a'];
    return ['a'];
  }
}

describe('evaluate and summarise', () => {
  const searcher = new FakeSearcher();
  const summaries = async () => summarise(await evaluate('projects', 'm', SET, ['vector', 'keyword'], searcher), () => randomOf(1));

  it('judges every mode on all queries and on those of each language and style', async () => {
    const rows = (await summaries()).map(({ group, queries, mode, scores }) => [group, queries, mode, scores.recall5, scores.mrr]);
    const third = expect.closeTo(2 / 3, 12);
    expect(rows).toEqual([
      ['all', 3, 'vector', third, third],
      ['all', 3, 'keyword', 1, expect.closeTo(2.5 / 3, 12)],
      ['en', 2, 'vector', 1, 1],
      ['en', 2, 'keyword', 1, 1],
      ['de', 1, 'vector', 0, 0],
      ['de', 1, 'keyword', 1, 0.5],
      ['keywords', 2, 'vector', 0.5, 0.5],
      ['keywords', 2, 'keyword', 1, 0.75],
      ['paraphrase', 1, 'vector', 1, 1],
      ['paraphrase', 1, 'keyword', 1, 1],
    ]);
    expect(searcher.depths).toEqual(new Set([10]));
  });

  it('gives each mode its difference to the first one, which has none', async () => {
    const [vector, keyword, , , , german] = await summaries();
    expect(vector!.difference).toBeUndefined();
    expect(keyword!.difference!.recall5).toMatchObject({ mean: expect.closeTo(1 / 3, 12), low: 0, high: 1 });
    expect(german!.difference!.recall5).toEqual({ mean: 1, low: 1, high: 1 });
  });

  it('is rendered with three decimals, and differences with their sign and interval', async () => {
    const report = renderReport([await evaluate('projects', 'm', SET, ['vector', 'keyword'], searcher)], () => randomOf(1));
    expect(report).toContain('projects: 3 queries, model m; 1 without a relevant document left out');
    expect(report).toMatch(/^all +3 +vector +0\.667 +0\.667 +0\.667 +0\.667 +0\.667 +0\.667$/m);
    expect(report).toMatch(/^de +1 +keyword +0\.000 +0\.000 +1\.000 +1\.000 +0\.500 +0\.631 +\+1\.000 \[\+1\.000, \+1\.000\] +\+0\.631 /m);
  });
});

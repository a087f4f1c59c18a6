import { renderTable } from '#kernel';
import type { Difference } from './bootstrap.js';
import { summarise, type Evaluated } from './evaluation.js';
import { METRICS } from './metrics.js';

const HEADINGS = ['success@1', 'recall@1', 'recall@5', 'recall@10', 'MRR', 'nDCG@10'];

const figure = (value: number): string => value.toFixed(3);
const signed = (value: number): string => `${value < 0 ? '' : '+'}${figure(value)}`;
const interval = (difference: Difference | undefined): string =>
  difference === undefined ? '' : `${signed(difference.mean)} [${signed(difference.low)}, ${signed(difference.high)}]`;

/** One table per set: means by group of queries and mode, and the differences to the first mode with their 95 % intervals. */
export function renderReport(sets: readonly Evaluated[], randomOf: () => () => number): string {
  return sets.map((evaluated) => renderSet(evaluated, randomOf)).join('\n');
}

/** The same figures for a program. */
export function renderJson(sets: readonly Evaluated[], randomOf: () => () => number): string {
  const figures = sets.map((evaluated) => ({ set: evaluated.set, model: evaluated.model, summaries: summarise(evaluated, randomOf) }));
  return `${JSON.stringify(figures, null, 2)}\n`;
}

function renderSet(evaluated: Evaluated, randomOf: () => () => number): string {
  const { set, model, queries, unjudged, scores } = evaluated;
  const [baseline] = scores.keys();
  const differences = scores.size > 1 ? [`recall@5 - ${baseline}`, `nDCG@10 - ${baseline}`] : [];
  const rows = summarise(evaluated, randomOf).map((summary) => [
    summary.group,
    summary.queries,
    summary.mode,
    ...METRICS.map((metric) => figure(summary.scores[metric])),
    ...differences.map((_, index) => interval(index === 0 ? summary.difference?.recall5 : summary.difference?.ndcg10)),
  ]);
  const leftOut = unjudged === 0 ? '' : `; ${unjudged} without a relevant document left out`;
  return `${set}: ${queries.length} queries, model ${model}${leftOut}\n\n${renderTable(['queries', 'n', 'mode', ...HEADINGS, ...differences], rows)}\n`;
}

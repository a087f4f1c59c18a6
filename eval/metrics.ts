import type { Relevant } from './qrels.js';

/** The figures of one query, or their means over queries; all between 0 and 1, higher is better. */
export interface Scores {
  /** Whether the first document is relevant. */
  readonly success1: number;
  readonly recall1: number;
  readonly recall5: number;
  readonly recall10: number;
  readonly mrr: number;
  readonly ndcg10: number;
}

export const METRICS = ['success1', 'recall1', 'recall5', 'recall10', 'mrr', 'ndcg10'] as const satisfies readonly (keyof Scores)[];

/**
 * All figures of one ranking, best document first.
 * @throws RangeError when the ranking names a document twice, or nothing is relevant: the figures would be wrong or undefined
 */
export function scoresOf(ranking: readonly string[], relevant: Relevant): Scores {
  if (new Set(ranking).size !== ranking.length) throw new RangeError('A ranking names each document once');
  if (relevant.size === 0) throw new RangeError('A query without a relevant document has no figures');
  return {
    success1: relevant.has(ranking[0] ?? '') ? 1 : 0,
    recall1: recallAt(1, ranking, relevant),
    recall5: recallAt(5, ranking, relevant),
    recall10: recallAt(10, ranking, relevant),
    mrr: reciprocalRank(ranking, relevant),
    ndcg10: ndcgAt(10, ranking, relevant),
  };
}

/**
 * recall@k = relevant documents among the first k / all relevant documents, whatever their grade.
 * A query with more than k relevant documents cannot reach 1.
 */
export function recallAt(k: number, ranking: readonly string[], relevant: Relevant): number {
  return ranking.slice(0, k).filter((document) => relevant.has(document)).length / relevant.size;
}

/** 1 / rank of the first relevant document, 0 when the ranking has none; the mean over queries is the MRR, cut where the rankings end. */
export function reciprocalRank(ranking: readonly string[], relevant: Relevant): number {
  const index = ranking.findIndex((document) => relevant.has(document));
  return index === -1 ? 0 : 1 / (index + 1);
}

/**
 * nDCG@k = DCG of the ranking / DCG of the best possible ranking, where DCG = sum over ranks 1 to k of grade / log2(rank + 1).
 * The gain is the grade itself, as in K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002), with the discount in the form
 * that trec_eval computes; figures are therefore comparable with those of BEIR, not with those that use 2^grade - 1.
 */
export function ndcgAt(k: number, ranking: readonly string[], relevant: Relevant): number {
  const gains = ranking.slice(0, k).map((document) => relevant.get(document) ?? 0);
  const ideal = [...relevant.values()].sort((a, b) => b - a).slice(0, k);
  return discountedSum(gains) / discountedSum(ideal);
}

function discountedSum(gains: readonly number[]): number {
  return gains.reduce((sum, gain, index) => sum + gain / Math.log2(index + 2), 0);
}

/** The mean of each figure; every query counts the same. @throws RangeError without any scores */
export function meanScores(scores: readonly Scores[]): Scores {
  if (scores.length === 0) throw new RangeError('There is no mean of nothing');
  const mean = (metric: keyof Scores): number => scores.reduce((sum, score) => sum + score[metric], 0) / scores.length;
  return Object.fromEntries(METRICS.map((metric) => [metric, mean(metric)])) as unknown as Scores;
}

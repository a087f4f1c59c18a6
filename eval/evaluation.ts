import { pairedDifference, type Difference } from './bootstrap.js';
import type { LabelledQuery, LabelledSet } from './labelled-set.js';
import { meanScores, scoresOf, type Scores } from './metrics.js';
import type { Mode, Searcher, SetName } from './searcher.js';

/** Rankings are judged this deep, because no figure looks further. */
export const DEPTH = 10;

export interface Evaluated {
  readonly set: SetName;
  readonly model: string;
  readonly queries: readonly LabelledQuery[];
  readonly unjudged: number;
  /** The figures of each query, in the order of the queries, by mode; the first mode is the baseline. */
  readonly scores: ReadonlyMap<Mode, readonly Scores[]>;
}

/** The figures of one mode over one group of queries. */
export interface Summary {
  /** `all`, a language or a style. */
  readonly group: string;
  readonly queries: number;
  readonly mode: Mode;
  readonly scores: Scores;
  /** To the baseline; absent for the baseline itself. */
  readonly difference?: { readonly recall5: Difference; readonly ndcg10: Difference };
}

/** Asks every query in every mode, one at a time, and judges the answers. */
export async function evaluate(
  set: SetName,
  model: string,
  { queries, unjudged }: LabelledSet,
  modes: readonly Mode[],
  searcher: Searcher,
): Promise<Evaluated> {
  const scores = new Map<Mode, Scores[]>();
  for (const mode of modes) {
    const ofMode: Scores[] = [];
    for (const { text, relevant } of queries) ofMode.push(scoresOf(await searcher.search(set, text, mode, DEPTH), relevant));
    scores.set(mode, ofMode);
  }
  return { set, model, queries, unjudged, scores };
}

/**
 * Means over all queries, over those of each language and over those of each style, in this order; within a group by mode.
 * @param randomOf - makes a random source; each interval gets a fresh one, so that it does not depend on what else is computed
 */
export function summarise({ queries, scores }: Evaluated, randomOf: () => () => number): Summary[] {
  const [baseline] = scores.values();
  return groupsOf(queries).flatMap(({ group, indexes }) =>
    [...scores].map(([mode, ofMode]): Summary => {
      const own = indexes.map((index) => ofMode[index]!);
      const others = indexes.map((index) => baseline![index]!);
      const differenceIn = (metric: keyof Scores): Difference =>
        pairedDifference(
          own.map((score) => score[metric]),
          others.map((score) => score[metric]),
          randomOf(),
        );
      return {
        group,
        queries: own.length,
        mode,
        scores: meanScores(own),
        ...(ofMode !== baseline && { difference: { recall5: differenceIn('recall5'), ndcg10: differenceIn('ndcg10') } }),
      };
    }),
  );
}

function groupsOf(queries: readonly LabelledQuery[]): { group: string; indexes: number[] }[] {
  const groups = new Map([['all', queries.map((_, index) => index)]]);
  for (const key of ['language', 'style'] as const) {
    for (const [index, query] of queries.entries()) {
      const group = query[key];
      if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), index]);
    }
  }
  return [...groups].map(([group, indexes]) => ({ group, indexes }));
}

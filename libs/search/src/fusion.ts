/**
 * How much a place at the top of one list counts against places in several: with 60, a row that two lists have as late as at 61 beats one that a single
 * list has first. The value of the paper, which found anything from 40 to 100 to make little difference.
 */
export const RRF_K = 60;

/** A row of at least one of the lists. */
export interface FusedRow {
  readonly id: string;
  /** Above 0, at most lists / 61. */
  readonly score: number;
  /** Its place in each list, from 1; `null` = the list does not have it. */
  readonly ranks: readonly (number | null)[];
}

/**
 * Makes one order out of several by reciprocal rank fusion: score = sum over the lists that have a row of 1 / (60 + rank). Only places count, so scores of
 * different kinds need no common scale.
 *
 * Best first, equal ones by id. An id that a list has twice counts at its better place.
 *
 * Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009,
 * https://doi.org/10.1145/1571941.1572114
 *
 * @param lists ids, each list best first
 */
export function fuse(lists: readonly (readonly string[])[]): FusedRow[] {
  const ranks = new Map<string, (number | null)[]>();
  lists.forEach((list, index) => {
    list.forEach((id, position) => {
      const own = ranks.get(id) ?? lists.map(() => null);
      own[index] ??= position + 1;
      ranks.set(id, own);
    });
  });
  return [...ranks]
    .map(([id, own]) => ({ id, score: scoreOf(own), ranks: own }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

/** Summed from the best place on, whichever list has it: else rounding would part what is equal. */
function scoreOf(ranks: readonly (number | null)[]): number {
  return ranks
    .filter((rank) => rank !== null)
    .sort((a, b) => a - b)
    .reduce((sum, rank) => sum + 1 / (RRF_K + rank), 0);
}

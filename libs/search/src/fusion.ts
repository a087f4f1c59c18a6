/** How little the first places of a list differ from the next ones. The value of the paper, which found it to be near the best, and not critical. */
export const RRF_K = 60;

/**
 * Places that count. With 60, a row that two lists have at 61 would beat one that a single list has first; in collections of some hundred rows such
 * coincidences are many. Measured on four labelled sets (ADR 0013): 20 is better than 60 in both languages, and 10 to 30 differ little.
 */
export const FUSED_DEPTH = 20;

/** Ids, best first. */
export interface FusedList {
  readonly ids: readonly string[];
  /** How many of the first places count; at most, and by default, {@link FUSED_DEPTH}. */
  readonly counted?: number;
}

/** A row of at least one of the lists. */
export interface FusedRow {
  readonly id: string;
  /** Above 0, at most the number of lists / 61. */
  readonly score: number;
  /** Its place in each list, from 1; `null` = the list does not have it. */
  readonly ranks: readonly (number | null)[];
}

/**
 * Makes one order out of several by reciprocal rank fusion: score = sum over the lists that have a row of 1 / (60 + rank). Only places count, so scores of
 * different kinds need no common scale.
 *
 * Places that do not count add nothing. A row that has no other follows all that have, as if the first of those places were the 21st. So the order of the
 * first results is the same however long the lists are.
 *
 * Best first, equal ones by id. An id that a list has twice counts at its better place.
 *
 * Source: Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods", SIGIR 2009,
 * https://doi.org/10.1145/1571941.1572114
 */
export function fuse(lists: readonly FusedList[]): FusedRow[] {
  const ranks = new Map<string, (number | null)[]>();
  lists.forEach(({ ids }, index) => {
    ids.forEach((id, position) => {
      const own = ranks.get(id) ?? lists.map(() => null);
      own[index] ??= position + 1;
      ranks.set(id, own);
    });
  });
  const counted = lists.map((list) => Math.min(list.counted ?? FUSED_DEPTH, FUSED_DEPTH));
  return [...ranks]
    .map(([id, own]) => ({ id, score: scoreOf(own, counted), ranks: own }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

/** Summed from the best place on, whichever list has it: else rounding would part what is equal. */
function scoreOf(ranks: readonly (number | null)[], counted: readonly number[]): number {
  const places = ranks
    .flatMap((rank, list) => (rank === null ? [] : [rank <= counted[list]! ? rank : rank - counted[list]! + FUSED_DEPTH]))
    .sort((a, b) => a - b);
  return places.filter((place, index) => index === 0 || place <= FUSED_DEPTH).reduce((sum, place) => sum + 1 / (RRF_K + place), 0);
}

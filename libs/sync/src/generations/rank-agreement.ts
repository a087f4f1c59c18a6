export interface RankAgreement {
  /** Share of the longer list that both have, 0 to 1; 1 for two empty lists. */
  readonly overlap: number;
  /** Mean distance between the ranks of what both have; `null` when they have nothing in common. */
  readonly shift: number | null;
}

/** Compares two ranked lists of ids, best first, each without duplicates. */
export function rankAgreement(left: readonly string[], right: readonly string[]): RankAgreement {
  const longer = Math.max(left.length, right.length);
  if (longer === 0) return { overlap: 1, shift: null };
  const rankInRight = new Map(right.map((id, rank) => [id, rank]));
  const shifts = left.flatMap((id, rank) => {
    const other = rankInRight.get(id);
    return other === undefined ? [] : [Math.abs(rank - other)];
  });
  return { overlap: shifts.length / longer, shift: mean(shifts) };
}

/** The mean of the numbers, or `null` for none. */
export function mean(numbers: readonly number[]): number | null {
  return numbers.length === 0 ? null : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

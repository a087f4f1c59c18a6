/** Enough for two stable decimals of the bounds. */
const ROUNDS = 10_000;
/** Mass outside the interval, on each side. */
const TAIL = 0.025;

export interface Difference {
  /** Mean of `system` minus mean of `baseline`. */
  readonly mean: number;
  /** The bounds of the interval that holds the true difference with 95 % confidence; when both have the same sign, chance does not explain it. */
  readonly low: number;
  readonly high: number;
}

/**
 * The difference of two systems on the same queries with its 95 % interval, by a paired percentile bootstrap: queries are drawn with replacement, and each
 * brings its figures of both systems along. Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.
 * The same numbers and the same random source give the same interval.
 * @param system, baseline - one figure per query, in the same order
 * @param random - uniform in [0, 1)
 * @throws RangeError when the two differ in length or are empty
 */
export function pairedDifference(system: readonly number[], baseline: readonly number[], random: () => number): Difference {
  if (system.length !== baseline.length || system.length === 0) throw new RangeError('Both systems need a figure for each query');
  const differences = Float64Array.from(system, (value, index) => value - baseline[index]!);
  const means = Float64Array.from({ length: ROUNDS }, () => resampledMean(differences, random)).sort();
  return {
    mean: differences.reduce((sum, value) => sum + value, 0) / differences.length,
    low: means[Math.floor(ROUNDS * TAIL)]!,
    high: means[Math.ceil(ROUNDS * (1 - TAIL)) - 1]!,
  };
}

function resampledMean(values: Float64Array, random: () => number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[Math.floor(random() * values.length)]!;
  return sum / values.length;
}

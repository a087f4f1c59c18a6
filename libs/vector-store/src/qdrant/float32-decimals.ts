/** Exact powers of ten: 10^22 is the largest one that a double holds without error. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Outside of these bounds the scaled arithmetic would leave the exact powers of ten. */
const SMALLEST_SCALED = 1e-13;
const LARGEST_SCALED = 1e7;

/** Nine significant decimal digits identify every float32. */
const SIGNIFICANT_DIGITS = 9;

/**
 * Returns the numbers whose JSON is short (at most nine significant digits) and reads back as exactly the same float32.
 *
 * A float32 widened to a double prints as about 20 characters, this as about 12.5: 128 vectors of 384 become 0.6 MB instead of 1.0 MB, no bit lost.
 */
export function toShortDecimals(vector: Float32Array): number[] {
  const decimals = new Array<number>(vector.length);
  for (let i = 0; i < vector.length; i++) decimals[i] = shortDecimal(vector[i]!);
  return decimals;
}

function shortDecimal(value: number): number {
  let magnitude = Math.abs(value);
  if (magnitude === 0) return 0;
  if (magnitude < SMALLEST_SCALED || magnitude > LARGEST_SCALED) return Number(value.toPrecision(SIGNIFICANT_DIGITS));
  let exponent = SIGNIFICANT_DIGITS - 1;
  for (; magnitude < 1; magnitude *= 10) exponent++;
  for (; magnitude >= 10; magnitude /= 10) exponent--;
  // An integer divided by an exact power of ten is the double nearest to that decimal, so it prints as that decimal.
  const eightDigits = roundedTo(value, exponent - 1);
  return Math.fround(eightDigits) === value ? eightDigits : roundedTo(value, exponent);
}

function roundedTo(value: number, decimalPlaces: number): number {
  const power = POWERS_OF_TEN[decimalPlaces]!;
  return Math.round(value * power) / power;
}

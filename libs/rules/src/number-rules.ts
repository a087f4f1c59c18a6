import { z } from 'zod';

/** Columns are numeric(n,2): a third decimal would be rounded away silently. */
const DECIMALS = 2;

/**
 * A JSON number that a numeric(n,2) column holds exactly: 0 to `maximum`, at most 2 decimals.
 *
 * Up to 10^12 a double has at least 3 decimals to spare, so such a number comes back from PostgreSQL as it was sent.
 */
export function decimalNumber(maximum: number) {
  return z
    .number()
    .min(0)
    .max(maximum)
    .refine((value) => Number(value.toFixed(DECIMALS)) === value, {
      message: `must have at most ${DECIMALS} decimals`,
      params: { code: 'too-many-decimals' },
    })
    .meta({ multipleOf: 0.01 });
}

/** A calendar day that exists, `YYYY-MM-DD`, from the year 1 on (PostgreSQL has no year 0). */
export function calendarDay() {
  return z.iso
    .date()
    .refine((day) => !day.startsWith('0000'), { message: 'must be a day of the year 0001 or later', params: { code: 'invalid-format' } });
}

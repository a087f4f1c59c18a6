import { UsageError } from '../service/usage-error.js';

type Bounds = Partial<Record<'gt' | 'gte' | 'lt' | 'lte', number>>;
/** `filters` of a search, as the API takes them. */
export type Filters = Record<string, string | number | string[] | Bounds>;

const BOUND_OF = { '>=': 'gte', '<=': 'lte', '>': 'gt', '<': 'lt' } as const;
const CONDITION = /^([A-Za-z_][A-Za-z0-9_]*)(>=|<=|>|<|=)(.+)$/s;
/** What looks like a number is one; no field of projects has texts of digits alone. */
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Adds one `--filter` to those before: `region=Bavaria`, a second value of the same field means either; `final_price>=1000` and `final_price<2000` are the two
 * bounds of one field.
 *
 * @throws UsageError
 */
export function addFilter(text: string, before: Filters = {}): Filters {
  const [, field, operator, value] = CONDITION.exec(text) ?? [];
  if (field === undefined || operator === undefined || value === undefined)
    throw new UsageError(`--filter must be like region=Bavaria or final_price<2000, not ${text}`);
  const known = before[field];
  if (operator === '=') {
    if (known === undefined) return { ...before, [field]: NUMBER.test(value) ? Number(value) : value };
    if (typeof known === 'object' && !Array.isArray(known)) throw new UsageError(`--filter has both a value and bounds of ${field}`);
    return { ...before, [field]: [...(Array.isArray(known) ? known : [String(known)]), value] };
  }
  if (!NUMBER.test(value)) throw new UsageError(`--filter ${field}${operator} wants a number, not ${value}`);
  if (known !== undefined && (typeof known !== 'object' || Array.isArray(known)))
    throw new UsageError(`--filter has both a value and bounds of ${field}`);
  return { ...before, [field]: { ...known, [BOUND_OF[operator as keyof typeof BOUND_OF]]: Number(value) } };
}

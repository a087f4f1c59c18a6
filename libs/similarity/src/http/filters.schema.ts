import {
  PROJECT_FILTER_FIELDS,
  type ProjectCondition,
  type ProjectFilter,
  type ProjectFilterField,
  type ProjectNumberField,
  type ProjectTermField,
} from '#projects';
import { craftTerm } from '#rules';
import { z } from 'zod';

/** More values of one field than a person would ever tick. */
const VALUES_MAXIMUM = 50;

const number = z.number();
const range = z
  .strictObject({ gt: number.optional(), gte: number.optional(), lt: number.optional(), lte: number.optional() })
  .refine((bounds) => Object.values(bounds).some((bound) => bound !== undefined), {
    message: 'must have at least one of gt, gte, lt, lte',
    params: { code: 'required' },
  });

const terms = z.union([craftTerm(), z.array(craftTerm()).min(1).max(VALUES_MAXIMUM)]).optional();
const numbers = z.union([number, range]).optional();

/** `filters` of a search: every field given must match; a list means any of its values. */
export const filtersSchema = z
  .strictObject({
    project_type: terms,
    region: terms,
    wood_type: terms,
    complexity: numbers,
    final_price: numbers,
    total_area_sqm: numbers,
  })
  .meta({ id: 'ProjectFilters' });
export type FiltersInput = z.output<typeof filtersSchema>;

/** Turns the validated object into the conditions of projects. A single number is a range of one value: stores compare floats by range only. */
export function filterOf(filters: FiltersInput | undefined): ProjectFilter {
  if (filters === undefined) return [];
  return (Object.keys(PROJECT_FILTER_FIELDS) as ProjectFilterField[]).flatMap((field): ProjectCondition[] => {
    const wanted = filters[field];
    if (wanted === undefined) return [];
    if (typeof wanted === 'string') return [{ kind: 'any', field: field as ProjectTermField, values: [wanted] }];
    if (Array.isArray(wanted)) return [{ kind: 'any', field: field as ProjectTermField, values: wanted }];
    return [{ kind: 'range', field: field as ProjectNumberField, ...(typeof wanted === 'number' ? { gte: wanted, lte: wanted } : wanted) }];
  });
}

import { craftTerm, queryDecimal, queryInteger, queryList, storableText, CURSOR_MAX_LENGTH } from '#rules';
import { z } from 'zod';
import type { ProjectCondition, ProjectNumberField, ProjectTermField } from '../project-filter.js';
import { PROJECT_SORT_COLUMNS, type ProjectListQuery, type ProjectSortColumn } from '../project-list.js';

const LIMIT_MAXIMUM = 100;
const LIMIT_DEFAULT = 20;
const DEFAULT_SORT = '-created_at';
/** More values of one field than a person would ever tick. */
const VALUES_MAXIMUM = 50;
const EXTERNAL_ID_MAX_LENGTH = 200;

const SORT_COLUMNS = Object.keys(PROJECT_SORT_COLUMNS) as ProjectSortColumn[];
const SORTS = SORT_COLUMNS.flatMap((column) => [column, `-${column}` as const]);

const terms = (what: string) =>
  queryList(craftTerm(), {
    maximumItems: VALUES_MAXIMUM,
    description: `Only projects of this ${what}; repeat for any of several`,
  }).optional();
const bound = (what: string, side: 'least' | 'most') => queryDecimal({ description: `${what} of at ${side} this` }).optional();
const complexityBound = (side: 'least' | 'most') =>
  queryInteger({ minimum: 1, maximum: 5, description: `Complexity of at ${side} this` }).optional();

/** Query of the list. */
export const projectListQuerySchema = z.strictObject({
  limit: queryInteger({ minimum: 1, maximum: LIMIT_MAXIMUM, default: LIMIT_DEFAULT, description: 'Projects per page' }).optional(),
  cursor: z.string().min(1).max(CURSOR_MAX_LENGTH).describe('next_cursor of the page before; bound to sort and filters').optional(),
  sort: z.enum(SORTS).describe(`- = descending; rows without the value come last; default ${DEFAULT_SORT}`).optional(),
  project_type: terms('type'),
  region: terms('region'),
  wood_type: terms('wood'),
  complexity_min: complexityBound('least'),
  complexity_max: complexityBound('most'),
  final_price_min: bound('Price', 'least'),
  final_price_max: bound('Price', 'most'),
  total_area_sqm_min: bound('Area', 'least'),
  total_area_sqm_max: bound('Area', 'most'),
  external_id: storableText(EXTERNAL_ID_MAX_LENGTH).describe('The project with this external id').optional(),
});
export type ProjectListParameters = z.output<typeof projectListQuerySchema>;

const TERM_FIELDS: readonly ProjectTermField[] = ['project_type', 'region', 'wood_type'];
const NUMBER_FIELDS: readonly ProjectNumberField[] = ['complexity', 'final_price', 'total_area_sqm'];

/** Turns the parameters into the query of the service. */
export function listQueryOf(parameters: ProjectListParameters): Omit<ProjectListQuery, 'after'> & { readonly cursor: string | null } {
  const sort = parameters.sort ?? DEFAULT_SORT;
  return {
    limit: parameters.limit ?? LIMIT_DEFAULT,
    cursor: parameters.cursor ?? null,
    sort: { column: (sort.startsWith('-') ? sort.slice(1) : sort) as ProjectSortColumn, isDescending: sort.startsWith('-') },
    externalId: parameters.external_id ?? null,
    filter: [
      ...TERM_FIELDS.flatMap((field) => termCondition(field, parameters[field])),
      ...NUMBER_FIELDS.flatMap((field) => rangeCondition(field, parameters)),
    ],
  };
}

function termCondition(field: ProjectTermField, values: readonly string[] | undefined): ProjectCondition[] {
  return values === undefined ? [] : [{ kind: 'any', field, values }];
}

function rangeCondition(field: ProjectNumberField, parameters: ProjectListParameters): ProjectCondition[] {
  const gte = parameters[`${field}_min`];
  const lte = parameters[`${field}_max`];
  if (gte === undefined && lte === undefined) return [];
  return [{ kind: 'range', field, ...(gte === undefined ? {} : { gte }), ...(lte === undefined ? {} : { lte }) }];
}

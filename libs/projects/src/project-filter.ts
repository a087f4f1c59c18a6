/** Fields that filters read, with their kind. What is not here can neither be filtered by nor is it in the index payload. */
export const PROJECT_FILTER_FIELDS = {
  project_type: 'term',
  region: 'term',
  wood_type: 'term',
  complexity: 'integer',
  final_price: 'decimal',
  total_area_sqm: 'decimal',
} as const;

export type ProjectFilterField = keyof typeof PROJECT_FILTER_FIELDS;
export type ProjectTermField = {
  [Field in ProjectFilterField]: (typeof PROJECT_FILTER_FIELDS)[Field] extends 'term' ? Field : never;
}[ProjectFilterField];
export type ProjectNumberField = Exclude<ProjectFilterField, ProjectTermField>;

/** Bounds that all hold; at least one is given. */
export interface NumberRange {
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
}

/** One demand on one field. A row without the field meets none. */
export type ProjectCondition =
  | { readonly kind: 'any'; readonly field: ProjectTermField; readonly values: readonly string[] }
  | ({ readonly kind: 'range'; readonly field: ProjectNumberField } & NumberRange);

/** Conditions that all hold; empty = every row. The one form from which the SQL and the filter of the vector store are made. */
export type ProjectFilter = readonly ProjectCondition[];

const OPERATORS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/**
 * Turns a filter into SQL conditions on `projects`.
 *
 * @param parameters gets the values appended; `$n` in the result counts from its length on
 * @returns conditions to be joined by AND; column names come from {@link PROJECT_FILTER_FIELDS} only, values are always parameters
 */
export function sqlConditionsOf(filter: ProjectFilter, parameters: unknown[]): string[] {
  return filter.flatMap((condition) => {
    // A field that is no key of the table must never reach the text of a statement, whoever built the condition.
    if (!Object.hasOwn(PROJECT_FILTER_FIELDS, condition.field)) throw new Error('A filter names an unknown field');
    if (condition.kind === 'any') return [`${condition.field} = ANY($${parameters.push([...condition.values])}::text[])`];
    return (Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]).flatMap((bound) => {
      const value = condition[bound];
      return value === undefined ? [] : [`${condition.field} ${OPERATORS[bound]} $${parameters.push(value)}::numeric`];
    });
  });
}

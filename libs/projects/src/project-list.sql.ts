import { PROJECT_SORT_COLUMNS, type ListPosition, type ProjectListQuery } from './project-list.js';
import { sqlConditionsOf } from './project-filter.js';

export interface Statement {
  readonly sql: string;
  readonly parameters: unknown[];
}

/**
 * Builds the one statement of a list page: keyset pagination, so that page 1,000 costs what page 1 costs, and rows that are written meanwhile
 * neither repeat nor disappear. Asks for one row more than `limit`: its presence says that there is a next page.
 *
 * A nullable sort column gives two branches, rows with a value and rows without: "value > x OR value IS NULL" could not walk the index, and
 * descending NULLS LAST matches no index order. Each branch reads at most limit + 1 rows along the index.
 */
export function listStatementOf(query: ProjectListQuery, columns: string): Statement {
  const parameters: unknown[] = [];
  const conditions = sqlConditionsOf(query.filter, parameters);
  if (query.externalId !== null) conditions.push(`external_id = $${parameters.push(query.externalId)}::text`);
  const limit = `$${parameters.push(query.limit + 1)}::int`;
  const { column, isDescending } = query.sort;
  const direction = isDescending ? 'DESC' : 'ASC';
  const branch = (where: readonly string[]) =>
    `SELECT ${columns} FROM projects${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`} ORDER BY ${column} ${direction}, id ${direction} LIMIT ${limit}`;

  if (!PROJECT_SORT_COLUMNS[column].isNullable) {
    return { sql: branch([...conditions, ...behind(query, query.after, parameters)]), parameters };
  }
  const without = [...conditions, `${column} IS NULL`];
  if (query.after !== null && query.after.value === null) {
    without.push(`id ${isDescending ? '<' : '>'} $${parameters.push(query.after.id)}::uuid`);
    return { sql: branch(without), parameters };
  }
  const withValue = [...conditions, `${column} IS NOT NULL`, ...behind(query, query.after, parameters)];
  // The order of UNION ALL is no promise: sorted again, 2 x (limit + 1) rows at most.
  const sql = `SELECT * FROM ((${branch(withValue)}) UNION ALL (${branch(without)})) AS page ORDER BY ${column} ${direction} NULLS LAST, id ${direction} LIMIT ${limit}`;
  return { sql, parameters };
}

function behind({ sort }: ProjectListQuery, after: ListPosition | null, parameters: unknown[]): string[] {
  if (after === null) return [];
  const value = `$${parameters.push(after.value)}::${PROJECT_SORT_COLUMNS[sort.column].sqlType}`;
  return [`(${sort.column}, id) ${sort.isDescending ? '<' : '>'} (${value}, $${parameters.push(after.id)}::uuid)`];
}

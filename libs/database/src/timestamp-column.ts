/** RFC 3339 in UTC with microseconds, so that no digit that PostgreSQL sorts by is lost. */
const FORMAT = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/**
 * The SQL that selects a `timestamptz` as text in the form of the API, so that no driver setting decides it.
 *
 * Its alias is `<column>_text`: ORDER BY would take an alias of the column's own name, that is the text, and miss the index.
 *
 * @param column a name written in the code, never input; may be qualified by its table
 */
export function timestampColumn(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', ${FORMAT}) AS ${column.split('.').at(-1)}_text`;
}

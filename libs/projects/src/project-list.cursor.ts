import { canonicalJson, type JsonValue } from '#kernel';
import { decodeListCursor, encodeListCursor } from '#rules';
import { PROJECT_SORT_COLUMNS, type ListPosition, type ProjectListQuery } from './project-list.js';

type CursorQuery = Pick<ProjectListQuery, 'sort' | 'filter' | 'externalId'>;

/** Names the query that a cursor belongs to: same sort and same filters in any order. The limit may change from page to page. */
function partsOf({ sort, filter, externalId }: CursorQuery): string[] {
  const conditions = filter
    .map((condition) =>
      canonicalJson(
        (condition.kind === 'any' ? { ...condition, values: [...condition.values].sort() } : condition) as unknown as JsonValue,
      ),
    )
    .sort();
  return [sort.column, String(sort.isDescending), canonicalJson(externalId), ...conditions];
}

/** Makes the opaque text that continues the query behind a row. */
export function encodeCursor(query: CursorQuery, position: ListPosition): string {
  return encodeListCursor(partsOf(query), position);
}

/**
 * Reads a cursor back.
 *
 * @returns `null` when it is damaged, or belongs to another sort or other filters
 */
export function decodeCursor(cursor: string, query: CursorQuery): ListPosition | null {
  const { sqlType, isNullable } = PROJECT_SORT_COLUMNS[query.sort.column];
  const position = decodeListCursor(cursor, partsOf(query), sqlType);
  return position !== null && position.value === null && !isNullable ? null : position;
}

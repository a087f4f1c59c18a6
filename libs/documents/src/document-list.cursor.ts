import { decodeListCursor, encodeListCursor } from '#rules';
import type { DocumentListPosition, DocumentListQuery } from './document-list.js';

type CursorQuery = Pick<DocumentListQuery, 'sort' | 'filter'>;

/** What a cursor belongs to: it continues no list with another sort or other filters. */
function partsOf({ sort, filter }: CursorQuery): string[] {
  return [sort.column, String(sort.isDescending), filter.collectionId, filter.kind, filter.language, filter.externalId].map(
    (part) => part ?? '\0',
  );
}

/** Makes the opaque text that continues the query behind a row. */
export function encodeCursor(query: CursorQuery, position: DocumentListPosition): string {
  return encodeListCursor(partsOf(query), position);
}

/** @returns `null` when the cursor is damaged, or belongs to another query */
export function decodeCursor(cursor: string, query: CursorQuery): DocumentListPosition | null {
  const position = decodeListCursor(cursor, partsOf(query), query.sort.column === 'title' ? 'text' : 'timestamptz');
  return position === null || position.value === null ? null : { id: position.id, value: position.value };
}

/** Columns a list can be sorted by; none of them is ever null. */
export const DOCUMENT_SORT_COLUMNS = { created_at: 'timestamptz', updated_at: 'timestamptz', title: 'text' } as const;
export type DocumentSortColumn = keyof typeof DOCUMENT_SORT_COLUMNS;

export interface DocumentFilter {
  readonly collectionId: string | null;
  readonly kind: string | null;
  readonly language: string | null;
  readonly externalId: string | null;
}

export interface DocumentSort {
  readonly column: DocumentSortColumn;
  readonly isDescending: boolean;
}

/** Where the last page ended: the sort value of its last row and its id. */
export interface DocumentListPosition {
  readonly value: string;
  readonly id: string;
}

export interface DocumentListQuery {
  readonly filter: DocumentFilter;
  readonly sort: DocumentSort;
  /** 1 to 100. */
  readonly limit: number;
  /** `null` = the first page. */
  readonly after: DocumentListPosition | null;
}

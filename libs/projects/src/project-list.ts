import type { ProjectFilter } from './project-filter.js';

/** Columns a list can be sorted by; `isNullable` decides the shape of the statement. */
export const PROJECT_SORT_COLUMNS = {
  created_at: { sqlType: 'timestamptz', isNullable: false },
  updated_at: { sqlType: 'timestamptz', isNullable: false },
  final_price: { sqlType: 'numeric', isNullable: true },
  name: { sqlType: 'text', isNullable: false },
} as const;

export type ProjectSortColumn = keyof typeof PROJECT_SORT_COLUMNS;

export interface ProjectSort {
  readonly column: ProjectSortColumn;
  readonly isDescending: boolean;
}

/** Where the last page ended: the sort value of its last row (`null` = the row had none) and its id. */
export interface ListPosition {
  readonly value: string | null;
  readonly id: string;
}

export interface ProjectListQuery {
  readonly sort: ProjectSort;
  readonly filter: ProjectFilter;
  readonly externalId: string | null;
  /** 1 to 100. */
  readonly limit: number;
  /** `null` = the first page. */
  readonly after: ListPosition | null;
}

import { canonicalJson, isUuid, sha256OfParts, type JsonValue } from '#kernel';
import { findTextDefect } from '#rules';
import {
  PROJECT_SORT_COLUMNS,
  type ListPosition,
  type ProjectListQuery,
  type ProjectSort,
  type ProjectSortColumn,
} from './project-list.js';

/** Long enough for a name of 200 characters of 4 bytes in base64url. */
export const CURSOR_MAX_LENGTH = 2_000;

/** Hex digits of the fingerprint; it guards against mistakes, not against attackers: a forged cursor can only name another position. */
const FINGERPRINT_LENGTH = 12;

type CursorQuery = Pick<ProjectListQuery, 'sort' | 'filter' | 'externalId'>;

/** Names the query that a cursor belongs to: same sort and same filters in any order. The limit may change from page to page. */
function fingerprintOf({ sort, filter, externalId }: CursorQuery): string {
  const conditions = filter
    .map((condition) =>
      canonicalJson(
        (condition.kind === 'any' ? { ...condition, values: [...condition.values].sort() } : condition) as unknown as JsonValue,
      ),
    )
    .sort();
  return sha256OfParts(sort.column, String(sort.isDescending), canonicalJson(externalId), ...conditions)
    .toString('hex')
    .slice(0, FINGERPRINT_LENGTH);
}

/** Makes the opaque text that continues the query behind a row. */
export function encodeCursor(query: CursorQuery, position: ListPosition): string {
  return Buffer.from(JSON.stringify([fingerprintOf(query), position.value, position.id])).toString('base64url');
}

/**
 * Reads a cursor back.
 *
 * @returns `null` when it is damaged, or belongs to another sort or other filters
 */
export function decodeCursor(cursor: string, query: CursorQuery): ListPosition | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
  if (!Array.isArray(parsed) || parsed.length !== 3) return null;
  const [fingerprint, value, id] = parsed as unknown[];
  if (fingerprint !== fingerprintOf(query) || typeof id !== 'string' || !isUuid(id)) return null;
  return isSortValue(value, query.sort) ? { value, id } : null;
}

/** A value of the wrong form would be an error of PostgreSQL, so each form is checked here. */
function isSortValue(value: unknown, { column }: ProjectSort): value is string | null {
  if (value === null) return PROJECT_SORT_COLUMNS[column].isNullable;
  return typeof value === 'string' && SORT_VALUE_CHECKS[PROJECT_SORT_COLUMNS[column].sqlType](value);
}

const SORT_VALUE_CHECKS: Record<(typeof PROJECT_SORT_COLUMNS)[ProjectSortColumn]['sqlType'], (value: string) => boolean> = {
  timestamptz: (value) => {
    if (!/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value)) return false;
    const time = Date.parse(value);
    // JavaScript reads 31 February as a day in March; PostgreSQL refuses it.
    return Number.isFinite(time) && new Date(time).toISOString().slice(0, 19) === value.slice(0, 19);
  },
  numeric: (value) => /^-?\d{1,15}(\.\d{1,2})?$/.test(value),
  text: (value) => findTextDefect(value) === null,
};

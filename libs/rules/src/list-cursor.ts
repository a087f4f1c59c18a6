import { DomainError, isUuid, sha256OfParts } from '#kernel';
import { findTextDefect } from './text-rules.js';

/** Long enough for a text of 500 characters of 4 bytes in base64url. */
export const CURSOR_MAX_LENGTH = 3_000;

/** Hex digits of the fingerprint; it guards against mistakes, not against attackers: a forged cursor can only name another position. */
const FINGERPRINT_LENGTH = 12;

/** Where a page ended: the sort value of its last row (`null` = the row had none) and its id. */
export interface CursorPosition {
  readonly value: string | null;
  readonly id: string;
}

/** SQL type of the column that a list is sorted by. */
export type CursorValueType = 'timestamptz' | 'numeric' | 'text';

/**
 * Makes the opaque text that continues a list behind a row.
 *
 * @param query what the cursor belongs to: sort and filters, in one spelling for one query
 */
export function encodeListCursor(query: readonly string[], { value, id }: CursorPosition): string {
  return Buffer.from(JSON.stringify([fingerprintOf(query), value, id])).toString('base64url');
}

/**
 * Reads a cursor back.
 *
 * @returns `null` when it is damaged, or belongs to another query
 */
export function decodeListCursor(cursor: string, query: readonly string[], valueType: CursorValueType): CursorPosition | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
  if (!Array.isArray(parsed) || parsed.length !== 3) return null;
  const [fingerprint, value, id] = parsed as unknown[];
  if (fingerprint !== fingerprintOf(query) || typeof id !== 'string' || !isUuid(id)) return null;
  if (value === null) return { value, id };
  return typeof value === 'string' && VALUE_CHECKS[valueType](value) ? { value, id } : null;
}

/** A cursor of the parameter `cursor` cannot continue this list. */
export function foreignCursor(): DomainError {
  const detail = 'is damaged, or belongs to a list with another sort or other filters';
  return new DomainError('request.invalid', {
    detail: `The cursor ${detail}`,
    fields: [{ pointer: '?cursor', code: 'invalid-cursor', detail }],
  });
}

function fingerprintOf(query: readonly string[]): string {
  return sha256OfParts(...query)
    .toString('hex')
    .slice(0, FINGERPRINT_LENGTH);
}

/** A value of the wrong form would be an error of PostgreSQL, so each form is checked here. */
const VALUE_CHECKS: Record<CursorValueType, (value: string) => boolean> = {
  timestamptz: (value) => {
    if (!/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value)) return false;
    const time = Date.parse(value);
    // JavaScript reads 31 February as a day in March; PostgreSQL refuses it.
    return Number.isFinite(time) && new Date(time).toISOString().slice(0, 19) === value.slice(0, 19);
  },
  numeric: (value) => /^-?\d{1,15}(\.\d{1,2})?$/.test(value),
  text: (value) => findTextDefect(value) === null,
};

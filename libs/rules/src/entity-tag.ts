import { DomainError } from '#kernel';

/** One entity tag of a conditional header (RFC 9110, 8.8.3). */
interface EntityTag {
  readonly isWeak: boolean;
  readonly value: string;
}

/** A conditional header: any representation (`*`), or a list of tags. */
type TagCondition = '*' | readonly EntityTag[];

const TAG_LIST_PATTERN = /^[\t ]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")(?:[\t ]*,[\t ]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"))*[\t ]*$/;
const TAG_PATTERN = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;
/** Versions are PostgreSQL integers; a longer number can match no row. */
const VERSION_TAG_PATTERN = /^v([1-9]\d{0,9})$/;
const VERSION_MAXIMUM = 2_147_483_647;

/** The ETag of a version. */
export function entityTagOf(version: number): string {
  return `"v${version}"`;
}

/**
 * Versions that an `If-Match` header accepts: `null` = any (no header, or `*`).
 *
 * Weak tags never match here (RFC 9110 demands the strong comparison), and neither does a tag that Kindred has not made: both leave the list
 * shorter, and an empty list matches no row, which is 412.
 *
 * @throws DomainError `request.invalid` for a header that is no list of tags, `request.precondition-required` when it is missing and required
 */
export function expectedVersionsOf(header: string | undefined, isRequired: boolean): readonly number[] | null {
  if (header === undefined) {
    if (isRequired) throw new DomainError('request.precondition-required');
    return null;
  }
  const condition = parseCondition(header, 'If-Match');
  if (condition === '*') return null;
  return versionsOf(condition.filter(({ isWeak }) => !isWeak));
}

/**
 * Whether an `If-None-Match` header names this version, so that the reply is 304. Compares weakly: `W/"v3"` names version 3 too.
 *
 * @throws DomainError `request.invalid` for a header that is no list of tags
 */
export function isNotModified(header: string | undefined, version: number): boolean {
  if (header === undefined) return false;
  const condition = parseCondition(header, 'If-None-Match');
  return condition === '*' || condition.some(({ value }) => value === `v${version}`);
}

/** What a write that may create demands of the row that is there, or is not. */
export interface WriteCondition {
  /** Versions that the row must have; `null` = it need not even exist. An empty list meets no row. */
  readonly expected: readonly number[] | 'any' | null;
  /** Versions that it must not have; `any` = there must be no row. Compared weakly. */
  readonly refused: readonly number[] | 'any';
}

/**
 * The condition that `If-Match` and `If-None-Match` state together (RFC 9110, 13.1): here, other than with {@link expectedVersionsOf},
 * `If-Match: *` demands that there is a row.
 *
 * @throws DomainError `request.invalid` for a header that is no list of tags
 */
export function writeConditionOf(ifMatch: string | undefined, ifNoneMatch: string | undefined): WriteCondition {
  const demanded = ifMatch === undefined ? null : parseCondition(ifMatch, 'If-Match');
  const refused = ifNoneMatch === undefined ? [] : parseCondition(ifNoneMatch, 'If-None-Match');
  return {
    expected: demanded === null ? null : demanded === '*' ? 'any' : versionsOf(demanded.filter(({ isWeak }) => !isWeak)),
    refused: refused === '*' ? 'any' : versionsOf(refused),
  };
}

/** Tags that Kindred has not made name no version. */
function versionsOf(tags: readonly EntityTag[]): number[] {
  return tags
    .map(({ value }) => Number(VERSION_TAG_PATTERN.exec(value)?.[1] ?? Number.NaN))
    .filter((version) => version <= VERSION_MAXIMUM);
}

function parseCondition(header: string, name: string): TagCondition {
  const text = header.trim();
  if (text === '*') return '*';
  if (!TAG_LIST_PATTERN.test(text)) {
    const detail = `${name} must be * or a list of entity tags like "v3"`;
    throw new DomainError('request.invalid', { detail, fields: [{ pointer: `@${name.toLowerCase()}`, code: 'invalid-format', detail }] });
  }
  return [...text.matchAll(TAG_PATTERN)].map((match) => ({ isWeak: match[1] !== undefined, value: match[2]! }));
}

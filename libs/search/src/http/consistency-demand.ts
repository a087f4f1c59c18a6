import { DomainError } from '#kernel';
import { CONSISTENCY_TOKEN_HEADER, decodeConsistencyToken, type ConsistencyToken } from '#sync';
import type { ConsistencyDemand } from '../search-types.js';

export const CONSISTENCY_WAIT_MAXIMUM_MS = 10_000;
/** Many times what a change normally takes, and short enough that nobody thinks the service hangs. */
export const CONSISTENCY_WAIT_DEFAULT_MS = 1_000;

const HEADER_POINTER = `@${CONSISTENCY_TOKEN_HEADER.toLowerCase()}`;

/** Where a search may name a write. */
export interface ConsistencyParameters {
  readonly consistency_token?: string | undefined;
  readonly wait_ms?: number | undefined;
}

/**
 * Reads which write a search should show, from the header or the parameter; both may be given when they are equal. `undefined` = none: `wait_ms` alone
 * means nothing, so that a client can send it always, with a token or without.
 *
 * @param source whose writes it may name
 * @param pointer of the parameter: `/consistency_token` in a body, `?consistency_token` in a query
 * @throws DomainError `request.invalid` for a text that is no token, for one of another source, and for two different ones
 */
export function consistencyDemandOf(
  source: string,
  header: string | undefined,
  { consistency_token: parameter, wait_ms: waitMs }: ConsistencyParameters,
  pointer: '/consistency_token' | '?consistency_token',
): ConsistencyDemand | undefined {
  if (header !== undefined && parameter !== undefined && header !== parameter) {
    throw refusal(pointer, 'differs-from-header', `is not the token of the header ${CONSISTENCY_TOKEN_HEADER}; send one of them`);
  }
  const text = parameter ?? header;
  if (text === undefined) return undefined;
  const place = parameter === undefined ? HEADER_POINTER : pointer;
  return { token: tokenOf(text, source, place), waitMs: waitMs ?? CONSISTENCY_WAIT_DEFAULT_MS };
}

function tokenOf(text: string, source: string, pointer: string): ConsistencyToken {
  const token = decodeConsistencyToken(text, pointer);
  if (token.source !== source) throw refusal(pointer, 'other-source', `is the token of a write to something else than ${source}`);
  return token;
}

function refusal(pointer: string, code: string, detail: string): DomainError {
  return new DomainError('request.invalid', { detail: `${pointer} ${detail}`, fields: [{ pointer, code, detail }] });
}

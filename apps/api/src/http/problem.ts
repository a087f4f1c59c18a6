import { isUuid, type DomainError, type FieldProblem } from '#kernel';
import { STATUS_OF_KIND } from './status-of-kind.js';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** The body of every error (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly retryable: boolean;
  readonly errors?: readonly FieldProblem[];
}

/** What a client should wait when the error itself does not know. */
const RETRY_AFTER_DEFAULT_SECONDS = 1;

/** Describes the error to the client: what its definition and its author allow, nothing of its cause. */
export function problemOf(error: DomainError, requestId: string): Problem {
  const { kind, title, retryable } = error.definition;
  return {
    type: `urn:kindred:error:${error.code}`,
    title,
    status: STATUS_OF_KIND[kind],
    detail: error.detail,
    instance: isUuid(requestId) ? `urn:uuid:${requestId}` : `urn:kindred:request:${requestId}`,
    code: error.code,
    request_id: requestId,
    retryable,
    ...(error.fields.length === 0 ? {} : { errors: error.fields }),
  };
}

/** Headers that belong to the error; 429 and 503 always say when to come back. */
export function problemHeadersOf(error: DomainError): Record<string, string> {
  const { kind } = error.definition;
  const retryAfter: Record<string, string> =
    kind === 'unavailable' || kind === 'rate-limited' ? { 'retry-after': String(RETRY_AFTER_DEFAULT_SECONDS) } : {};
  const own = Object.fromEntries(Object.entries(error.headers).map(([name, value]) => [name.toLowerCase(), value]));
  // Another copy of the reply may be current a moment later.
  return { 'cache-control': 'no-store', ...retryAfter, ...own };
}

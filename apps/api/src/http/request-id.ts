import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';

/** Ids that may be repeated in headers, logs and URNs as they are. */
const SANE_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;

export const REQUEST_ID_HEADER = 'x-request-id';

/** Takes the caller's X-Request-Id when it is harmless, so that one id can be followed through several systems; otherwise makes a UUID. */
export function requestIdOf(request: IncomingMessage | Http2ServerRequest): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && SANE_ID_PATTERN.test(given) ? given : randomUUID();
}

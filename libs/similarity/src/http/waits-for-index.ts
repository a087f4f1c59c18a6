import type { SentRequest } from '#security';
import { CONSISTENCY_TOKEN_HEADER } from '#sync';

const PARAMETER = 'consistency_token';

/** Whether a search names a write that it wants to see, for which it may wait. */
export function waitsForIndex({ headers, query, body }: SentRequest): boolean {
  return headers[CONSISTENCY_TOKEN_HEADER.toLowerCase()] !== undefined || has(query) || has(body);
}

function has(fields: unknown): boolean {
  return typeof fields === 'object' && fields !== null && PARAMETER in fields;
}

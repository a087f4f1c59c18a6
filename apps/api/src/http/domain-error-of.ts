import { DomainError, type ErrorCode } from '#kernel';
import { HttpException } from '@nestjs/common';
import { BODY_LIMIT_BYTES } from './limits.js';

/** Codes of statuses that Nest or Fastify raise by themselves; every other 4xx is a request that is not valid. */
const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'request.not-found',
  405: 'request.method-not-allowed',
  406: 'request.not-acceptable',
  413: 'request.body-too-large',
  415: 'request.unsupported-media-type',
};

/** Sentences for what the framework refuses: its own messages can repeat what the client sent. */
const DETAIL_OF_CODE: Partial<Record<ErrorCode, string>> = {
  'request.body-too-large': `The body is larger than ${BODY_LIMIT_BYTES} bytes`,
  'request.invalid': 'The request could not be read',
};

/**
 * Sees any thrown value as an error of the table.
 *
 * A 4xx of the framework keeps its meaning; everything unknown is a defect, and says nothing but that.
 */
export function domainErrorOf(thrown: unknown): DomainError {
  if (thrown instanceof DomainError) return thrown;
  const status = statusOf(thrown);
  if (status === null || status < 400 || status > 499) return new DomainError('internal.error', { cause: thrown });
  const code = CODE_OF_STATUS[status] ?? 'request.invalid';
  return new DomainError(code, { cause: thrown, detail: DETAIL_OF_CODE[code] });
}

function statusOf(thrown: unknown): number | null {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (!(thrown instanceof Error)) return null;
  const { statusCode, code } = thrown as { statusCode?: unknown; code?: unknown };
  // The client went away in the middle of its body: no defect, and nobody to tell.
  if (statusCode === 400 && code === 'ECONNRESET' && thrown.message === 'aborted') return statusCode;
  // Only Fastify's own: an error of a client library may carry the status of somebody else's reply.
  return typeof statusCode === 'number' && typeof code === 'string' && code.startsWith('FST_ERR_') ? statusCode : null;
}

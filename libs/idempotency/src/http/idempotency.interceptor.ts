import { DomainError, type ErrorKind } from '#kernel';
import { Injectable, Logger, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { CLAIM_SECONDS, type IdempotencyClaim } from '../idempotency-claim.js';
import { IdempotencyKeys } from '../idempotency-keys.js';
import type { IdempotentReply, KeyScope, StoredReply } from '../idempotent-reply.js';
import { rememberClaim } from './claimed-requests.js';
import { digestOf, fingerprintOf } from './fingerprint.js';
import { IDEMPOTENCY_REPLAYED, keyOf } from './idempotency-key-header.js';

/** What a repeated answer has besides its body. */
const KEPT_HEADERS = ['location', 'etag', 'x-kindred-token'];
/** Refusals that stored data decide are answers as well. What is wrong with the request itself may be mended, and sent under the same key. */
const KEPT_REFUSALS: ReadonlySet<ErrorKind> = new Set(['not-found', 'conflict', 'precondition-failed', 'unprocessable']);
const RENEW_EVERY_MS = (CLAIM_SECONDS * 1_000) / 3;

/** Carries a request with an `Idempotency-Key` out once, and repeats its answer; one without a key passes untouched. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly logger = new Logger('Idempotency');

  constructor(private readonly keys: IdempotencyKeys) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    try {
      const key = keyOf(request.headers['idempotency-key']);
      if (key === null) return next.handle();
      const { claim, stored } = await this.keys.claim(scopeOf(request, key), fingerprintOf(request));
      return of(stored === undefined ? await this.carryOut(claim, request, reply, next) : await repeat(stored, request, reply));
    } catch (error) {
      // An answer does not reach a sender that is still sending, nor the next request on the connection.
      if (request.body instanceof Readable) request.body.resume();
      throw error;
    }
  }

  private async carryOut(claim: IdempotencyClaim, request: FastifyRequest, reply: FastifyReply, next: CallHandler): Promise<unknown> {
    rememberClaim(request, claim);
    const renewal = setInterval(() => void claim.renew().catch(() => undefined), RENEW_EVERY_MS).unref();
    try {
      const body: unknown = await lastValueFrom(next.handle());
      await this.settle(() => claim.finish(replyOf(reply, body)));
      return body;
    } catch (error) {
      await this.settle(() => (isKept(error) ? claim.refuse(error) : claim.release()));
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  /** The answer is what counts: a key that cannot be put away is found abandoned later, or has the answer that was committed with the write. */
  private async settle(put: () => Promise<void>): Promise<void> {
    try {
      await put();
    } catch (error) {
      this.logger.warn({ msg: 'an idempotency key could not be put away', reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Not what may go well a moment later, and no failure of ours. */
function isKept(error: unknown): error is DomainError {
  return error instanceof DomainError && !error.definition.retryable && KEPT_REFUSALS.has(error.definition.kind);
}

function scopeOf(request: FastifyRequest, key: string): KeyScope {
  return { caller: request.caller?.keyId ?? 'anonymous', route: `${request.method} ${request.routeOptions.url ?? ''}`, key };
}

async function repeat(stored: StoredReply, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { status, headers, body, refusal, fileDigest } = stored;
  const replayed = { [IDEMPOTENCY_REPLAYED]: 'true' };
  if (refusal !== null) throw new DomainError(refusal.code, { detail: refusal.detail, fields: refusal.fields, headers: replayed });
  const isFile = request.body instanceof Readable;
  if (isFile && fileDigest !== null && !fileDigest.equals(await digestOf(request.body as Readable)))
    throw new DomainError('idempotency.other-payload');
  reply.status(status).headers({ ...headers, ...replayed });
  return body;
}

function replyOf(reply: FastifyReply, body: unknown): IdempotentReply {
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return { status: reply.statusCode, headers: Object.fromEntries(headers), body };
}

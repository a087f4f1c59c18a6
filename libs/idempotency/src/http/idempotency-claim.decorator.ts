import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IdempotencyClaim } from '../idempotency-claim.js';
import { claimOfRequest } from './claimed-requests.js';

/** The claim of this request on its `Idempotency-Key`; `null` = it has none, and nothing is to be kept. */
export const Claim = createParamDecorator((_: unknown, context: ExecutionContext): IdempotencyClaim | null =>
  claimOfRequest(context.switchToHttp().getRequest<FastifyRequest>()),
);

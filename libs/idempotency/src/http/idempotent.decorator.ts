import { applyDecorators, UseInterceptors } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { KEPT_HOURS } from '../idempotency-keys.js';
import { IdempotencyInterceptor } from './idempotency.interceptor.js';
import { IDEMPOTENCY_KEY, KEY_PATTERN } from './idempotency-key-header.js';

/**
 * A route that takes `Idempotency-Key`. One that writes passes what `@Claim()` keeps to its service, so that the answer is committed with the write;
 * without that the answer is stored behind it, which is right only when a process that dies takes along what it began.
 */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotencyInterceptor),
    ApiHeader({
      name: IDEMPOTENCY_KEY,
      required: false,
      description: `Makes the request safe to send again: with the same key, body and parameters it is carried out once, and its answer is repeated for ${KEPT_HOURS} hours. A key of your own for each request, for example a UUID`,
      schema: { type: 'string', pattern: KEY_PATTERN },
      example: '2f1c7a54-8a57-4c3e-9d0a-2f6f0f9b1c55',
    }),
  );
}

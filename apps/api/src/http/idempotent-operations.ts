import { IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED } from '#idempotency';
import type { OpenAPIObject } from '@nestjs/swagger';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

/** What every operation can answer that takes the key, whatever its controller says. */
export const IDEMPOTENT_RESPONSES: Readonly<Record<string, string>> = {
  409: 'The same Idempotency-Key is being worked on',
  422: 'The Idempotency-Key was sent with another body or other parameters',
};

export function takesIdempotencyKey({ parameters = [] }: Operation): boolean {
  return parameters.some((parameter) => 'name' in parameter && parameter.name === IDEMPOTENCY_KEY);
}

/** Documents how a repeated answer is known, and what a conflict says about waiting. */
export function addReplayHeader(operation: Operation): void {
  if (!takesIdempotencyKey(operation)) return;
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response === undefined || '$ref' in response) continue;
    if (status.startsWith('2')) {
      const description = 'true: the answer of an earlier request with this Idempotency-Key, repeated';
      response.headers = { ...response.headers, [IDEMPOTENCY_REPLAYED]: { description, schema: { type: 'string', enum: ['true'] } } };
    }
    if (status === '409') {
      const description = 'Seconds to wait, while the same Idempotency-Key is being worked on';
      response.headers = { ...response.headers, 'Retry-After': { description, schema: { type: 'integer' } } };
    }
  }
}

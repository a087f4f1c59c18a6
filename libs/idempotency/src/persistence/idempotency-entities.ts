import { IdempotencyKeyEntity } from './idempotency-key.entity.js';

/** Tables of this lib. */
export const IDEMPOTENCY_ENTITIES = [IdempotencyKeyEntity];

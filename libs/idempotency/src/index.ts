export * from './idempotency.module.js';
export * from './idempotency-claim.js';
export * from './idempotency-keys.js';
export * from './idempotent-reply.js';
export * from './persistence/idempotency-entities.js';
export * from './http/idempotent.decorator.js';
export * from './http/idempotency-claim.decorator.js';
export { IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED } from './http/idempotency-key-header.js';

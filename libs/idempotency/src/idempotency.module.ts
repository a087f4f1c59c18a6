import { Global, Module } from '@nestjs/common';
import { IdempotencyKeys } from './idempotency-keys.js';
import { IdempotencyPurge } from './idempotency-purge.js';

/** Keys of requests for every controller; for apps/api. Needs the (global) database and runtime modules beside it. */
@Global()
@Module({ providers: [IdempotencyKeys, IdempotencyPurge], exports: [IdempotencyKeys] })
export class IdempotencyModule {}

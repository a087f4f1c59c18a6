import { DataConfig, SecurityConfig } from '#config';
import { Global, Module } from '@nestjs/common';
import { AccessControl } from './access-control.js';
import { ApiKeys } from './api-keys.js';
import { AuditLog } from './audit-log.js';
import { DoorCheck } from './door-check.js';
import { FailedAttempts } from './failed-attempts.js';
import { KeyDirectory } from './key-directory.js';
import { LoadGauge } from './load-gauge.js';
import { Pepper } from './pepper.js';
import { RateLimits } from './rate-limits.js';

/** Keys and the audit. Needs the (global) database module beside it. */
@Global()
@Module({
  providers: [
    {
      provide: Pepper,
      inject: [SecurityConfig, DataConfig],
      useFactory: ({ pepper }: SecurityConfig, { dataDir }: DataConfig) => Pepper.of(pepper, dataDir),
    },
    ApiKeys,
    KeyDirectory,
    FailedAttempts,
    AccessControl,
    AuditLog,
    DoorCheck,
    RateLimits,
    LoadGauge,
  ],
  exports: [ApiKeys, KeyDirectory, AccessControl, AuditLog, DoorCheck, RateLimits, LoadGauge],
})
export class SecurityModule {}

import { Global, Module } from '@nestjs/common';
import { SecurityModule } from '../security.module.js';
import { AccessHook } from './access.hook.js';
import { AuditInterceptor } from './audit.interceptor.js';
import { LimitsHook } from './limits.hook.js';

/** What stands before the controllers; for apps/api only. */
@Global()
@Module({
  imports: [SecurityModule],
  providers: [AccessHook, LimitsHook, AuditInterceptor],
  exports: [AccessHook, LimitsHook, AuditInterceptor, SecurityModule],
})
export class SecurityHttpModule {}

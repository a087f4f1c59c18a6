import { Global, Module } from '@nestjs/common';
import { SecurityModule } from '../security.module.js';
import { AccessHook } from './access.hook.js';
import { AuditInterceptor } from './audit.interceptor.js';

/** What stands before the controllers; for apps/api only. */
@Global()
@Module({ imports: [SecurityModule], providers: [AccessHook, AuditInterceptor], exports: [AccessHook, AuditInterceptor, SecurityModule] })
export class SecurityHttpModule {}

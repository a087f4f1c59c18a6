import { AnswersModule } from '#answers';
import { DocumentsModule } from '#documents';
import { Module } from '@nestjs/common';
import { AdminModule } from '../admin.module.js';
import { AuditController } from './audit.controller.js';
import { CachesController } from './caches.controller.js';
import { CertificatesController } from './certificates.controller.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { GenerationsController } from './generations.controller.js';
import { IndexStatsController } from './index-stats.controller.js';
import { KeysController } from './keys.controller.js';
import { LogLevelsController } from './log-levels.controller.js';
import { SchedulesController } from './schedules.controller.js';
import { SyncStatusController } from './sync-status.controller.js';
import { SyncTouchController } from './sync-touch.controller.js';

/** The handles of operators over HTTP; for apps/api only. */
@Module({
  imports: [AdminModule, DocumentsModule, AnswersModule],
  controllers: [
    SyncStatusController,
    SyncTouchController,
    DeadLettersController,
    CertificatesController,
    GenerationsController,
    SchedulesController,
    KeysController,
    AuditController,
    LogLevelsController,
    CachesController,
    IndexStatsController,
  ],
})
export class AdminHttpModule {}

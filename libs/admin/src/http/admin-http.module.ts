import { Module } from '@nestjs/common';
import { AdminModule } from '../admin.module.js';
import { CertificatesController } from './certificates.controller.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { GenerationsController } from './generations.controller.js';
import { SchedulesController } from './schedules.controller.js';
import { SyncStatusController } from './sync-status.controller.js';
import { SyncTouchController } from './sync-touch.controller.js';

/** The handles of operators over HTTP; for apps/api only. */
@Module({
  imports: [AdminModule],
  controllers: [
    SyncStatusController,
    SyncTouchController,
    DeadLettersController,
    CertificatesController,
    GenerationsController,
    SchedulesController,
  ],
})
export class AdminHttpModule {}

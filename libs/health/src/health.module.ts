import { Module } from '@nestjs/common';
import { SyncModule } from '#sync';
import { HealthMonitor } from './health-monitor.js';

/** Watches the dependencies of the process. */
@Module({ imports: [SyncModule], providers: [HealthMonitor], exports: [HealthMonitor] })
export class HealthModule {}

import { Module } from '@nestjs/common';
import { SyncModule } from '#sync';
import { EventLoopWatch } from './event-loop-watch.js';
import { HealthMonitor } from './health-monitor.js';

/** Watches the dependencies of the process. */
@Module({ imports: [SyncModule], providers: [HealthMonitor, EventLoopWatch], exports: [HealthMonitor] })
export class HealthModule {}

import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthModule } from '../health.module.js';
import { HealthController } from './health.controller.js';
import { HealthDetails } from './health-detail.js';
import { HealthReport } from './health-report.js';
import { ProbesController } from './probes.controller.js';

@Module({
  // Its logger would write a line for every probe that finds something down; the change of state is logged where it happens.
  imports: [HealthModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController, ProbesController],
  providers: [HealthReport, HealthDetails],
})
export class HealthHttpModule {}

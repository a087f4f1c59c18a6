import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { HealthModule } from '../health.module.js';
import { HealthController } from './health.controller.js';

@Module({
  // Its logger would write a line for every probe that finds something down; the change of state is logged where it happens.
  imports: [HealthModule, TerminusModule.forRoot({ logger: false })],
  controllers: [HealthController],
})
export class HealthHttpModule {}

import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { SchedulerRegistry } from '@nestjs/schedule';
import type { ScheduleRunner } from './schedule-runner.js';

const NAME = 'kindred-schedules';
/**
 * How late a run may begin. An interval rather than one cron job per schedule: a cron job sleeps until this machine's clock says so, and with a clock
 * that is an hour off it would wake when nothing is due.
 */
const TICK_MS = 5_000;

/** Lets the runner look at what is due for as long as the application runs. */
export class ScheduleTicker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly registry: SchedulerRegistry,
    private readonly runner: ScheduleRunner,
  ) {}

  onApplicationBootstrap(): void {
    const interval = setInterval(() => void this.runner.tick(), TICK_MS);
    interval.unref();
    // The registry clears it when the application shuts down.
    this.registry.addInterval(NAME, interval);
    void this.runner.tick();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.runner.stop();
  }
}

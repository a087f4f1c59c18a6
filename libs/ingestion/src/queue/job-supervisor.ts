import { Clock, RepeatedMessages } from '#kernel';
import { SyncReadiness } from '#sync';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ImportRunner } from '../run/import-runner.js';
import { JobQueue } from './job-queue.js';
import { JobSweep } from './job-sweep.js';

const SWEEP_EVERY_MS = 3_000;
const PURGE_EVERY_MS = 300_000;

/** Starts the work on jobs once the process is ready, behind its back: no start waits for it, and no failure of it ends anything. */
@Injectable()
export class JobSupervisor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Jobs');
  private readonly messages: RepeatedMessages;
  private timer: NodeJS.Timeout | null = null;
  private ticking: Promise<void> | null = null;
  private isStopping = false;
  private purgedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly readiness: SyncReadiness,
    private readonly queue: JobQueue,
    private readonly sweep: JobSweep,
    private readonly runner: ImportRunner,
    private readonly clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tick(), SWEEP_EVERY_MS).unref();
    void this.readiness.whenReady().then(
      () => this.tick(),
      // A start that fails ends the process, and says why.
      () => undefined,
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    if (this.timer !== null) clearInterval(this.timer);
    await this.queue.stop();
    await this.ticking;
  }

  /** Never rejects; a tick that is still under way is not followed by another. */
  private tick(): Promise<void> {
    if (this.isStopping || !this.readiness.isReady) return Promise.resolve();
    this.ticking ??= this.work()
      .catch((error: unknown) => {
        const line = this.messages.pass('tick', `Jobs cannot be looked after: ${error instanceof Error ? error.message : String(error)}`);
        if (line !== null && !this.isStopping) this.logger.warn(line);
      })
      .finally(() => {
        this.ticking = null;
      });
    return this.ticking;
  }

  private async work(): Promise<void> {
    await this.queue.start((jobId, signal) => this.runner.run(jobId, signal));
    await this.sweep.run();
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.purgedAtMs < PURGE_EVERY_MS) return;
    await this.sweep.purge();
    this.purgedAtMs = nowMs;
  }
}

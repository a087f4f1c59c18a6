import { Clock, RepeatedMessages } from '#kernel';
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { IdempotencyKeys } from './idempotency-keys.js';

const PURGE_EVERY_MS = 600_000;

/** Removes old keys while the process runs. Of several processes each does it: batches that another one removes are skipped. */
@Injectable()
export class IdempotencyPurge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Idempotency');
  private readonly messages: RepeatedMessages;
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly keys: IdempotencyKeys,
    clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void (this.running = this.running.then(() => this.purge())), PURGE_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    await this.running;
  }

  /** Never rejects: what stays is removed by the next one. */
  private async purge(): Promise<void> {
    try {
      await this.keys.purge();
    } catch (error) {
      const msg = this.messages.pass('purge', 'old idempotency keys could not be removed');
      if (msg !== null) this.logger.warn({ msg, reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

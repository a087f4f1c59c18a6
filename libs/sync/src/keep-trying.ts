import { RepeatedMessages, type Clock } from '#kernel';
import type { Logger } from '@nestjs/common';
import { retry } from './retry.js';

/** Repeats what has to succeed in the end until it does, or until this process stops; says so once a minute. */
export class KeepTrying {
  private readonly messages: RepeatedMessages;

  constructor(
    private readonly logger: Logger,
    clock: Clock,
    private readonly signal: AbortSignal,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  /**
   * @param what names the trouble, for the log
   * @throws FatalStartupError as soon as the action throws one; the reason of the stop
   */
  async run<T>(what: string, action: () => Promise<T>): Promise<T> {
    const result = await retry(action, {
      signal: this.signal,
      onFailure: (error, tries) => this.warn(`${what} (try ${tries}), trying again`, error, what),
    });
    this.messages.clear(what);
    return result;
  }

  /** Logs a failure that is tried again later by itself, once a minute per `key`. */
  warn(what: string, error: unknown, key = what): void {
    if (this.signal.aborted) return;
    const message = this.messages.pass(key, `${what}: ${error instanceof Error ? error.message : String(error)}`);
    if (message !== null) this.logger.warn(message);
  }
}

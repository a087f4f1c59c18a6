import type { ScheduleName } from './schedule-names.js';

/** What a schedule does. One process at a time runs it, but a process that was frozen may go on for a moment beside its successor. */
export interface ScheduledTask {
  readonly name: ScheduleName;
  /**
   * Does the work; what it returns is kept as JSON with the run.
   *
   * @param signal aborts when the process stops, or when the run's lease is lost: then nothing more may be changed
   * @throws ScheduledTaskError when it failed but has something to report all the same
   */
  run(signal: AbortSignal): Promise<unknown>;
}

/** A run that failed, together with what it found out before. */
export class ScheduledTaskError extends Error {
  constructor(
    message: string,
    /** As JSON with the run. */
    readonly result: unknown,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ScheduledTaskError';
  }
}

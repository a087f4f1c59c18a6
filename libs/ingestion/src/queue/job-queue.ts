/** Runs one job; rejects when it is to be tried again. */
export type JobHandler = (jobId: string, signal: AbortSignal) => Promise<void>;

/**
 * Hands jobs to processes: each to one of them, in the order in which they came, one at a time per process, and again after a failure.
 *
 * It may lose or double an entry: what a job is, and whether it may run, is known to its row alone.
 */
export abstract class JobQueue {
  /** Begins to take jobs; resolves when it does. Idempotent. */
  abstract start(handler: JobHandler): Promise<void>;

  /** Adds an entry under an id of the caller; one that is there already stays as it is. @throws when the queue cannot be reached, or was not started */
  abstract add(queueId: string, jobId: string): Promise<void>;

  /** Whether the entry still waits, or is worked on. */
  abstract isOpen(queueId: string): Promise<boolean>;

  /** Hands the entry to somebody else: whoever had it is dead. */
  abstract revive(queueId: string): Promise<void>;

  /** Calls off what runs here, and takes nothing any more. Idempotent; never rejects. */
  abstract stop(): Promise<void>;
}

import { JobQueue, type JobHandler } from '#ingestion';

/** Double of the queue: keeps entries until a test has them run, one after the other. */
export class FakeJobQueue extends JobQueue {
  /** Entries that wait, oldest first. */
  readonly entries: { readonly queueId: string; readonly jobId: string }[] = [];
  readonly revived: string[] = [];
  /** Rejects whatever can be rejected while it is set. */
  fault: Error | null = null;
  private handler: JobHandler | null = null;
  private readonly stopping = new AbortController();

  async start(handler: JobHandler): Promise<void> {
    this.assertHealthy();
    this.handler ??= handler;
  }

  async add(queueId: string, jobId: string): Promise<void> {
    this.assertHealthy();
    if (!this.entries.some((entry) => entry.queueId === queueId)) this.entries.push({ queueId, jobId });
  }

  async isOpen(queueId: string): Promise<boolean> {
    this.assertHealthy();
    return this.entries.some((entry) => entry.queueId === queueId);
  }

  async revive(queueId: string): Promise<void> {
    this.assertHealthy();
    this.revived.push(queueId);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the queue was stopped'));
  }

  /** Runs everything that waits; an entry whose run fails stays. */
  async runAll(handler = this.handler): Promise<void> {
    if (handler === null) throw new Error('Nobody works on the queue');
    for (let entry = this.entries[0]; entry !== undefined; entry = this.entries[0]) {
      await handler(entry.jobId, this.stopping.signal);
      this.entries.shift();
    }
  }

  private assertHealthy(): void {
    if (this.fault !== null) throw this.fault;
  }
}

import { Logger } from '@nestjs/common';
import type { EmbedTask, OfferTarget } from './embed-task.js';
import { restartDelayMs } from './restart-backoff.js';
import type { EmbedMessage, WorkerMessage } from './worker-protocol.js';

/** The part of a `node:worker_threads` Worker that the pool uses. */
export interface WorkerThread {
  postMessage(message: EmbedMessage): void;
  on(event: 'message', listener: (message: WorkerMessage) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (exitCode: number) => void): unknown;
  terminate(): Promise<unknown>;
}

/** Starts a thread that will claim under the given number. */
export type SpawnThread = (workerNumber: number) => WorkerThread;

export interface WorkerSlotEvents {
  ready(slot: WorkerSlot): void;
  answered(slot: WorkerSlot, message: Exclude<WorkerMessage, { type: 'ready' }>): void;
  /** `offered` is what the dead thread had been sent and not answered, in that order. */
  died(offered: readonly EmbedTask[], workerNumber: number): void;
}

export type WorkerSlotState = 'starting' | 'ready' | 'waiting' | 'closed';

/** One place for a thread: starts it, and starts another one whenever it dies. */
export class WorkerSlot implements OfferTarget {
  /** `waiting` = its thread died, the next one is not started yet. */
  state: WorkerSlotState = 'waiting';
  /** Why the last thread died; `null` = none has. */
  lastError: Error | null = null;
  restarts = 0;
  /** The documents among {@link load}. */
  documentLoad = 0;

  private readonly logger = new Logger('EmbeddingWorkerPool');
  private readonly offered = new Map<number, EmbedTask>();
  private thread: WorkerThread | null = null;
  private workerNumber = 0;
  private failuresInARow = 0;
  private timer: NodeJS.Timeout | null = null;

  /** @param nextNumber gives numbers that no other thread of the pool ever had, above 0 */
  constructor(
    private readonly spawn: SpawnThread,
    private readonly nextNumber: () => number,
    private readonly events: WorkerSlotEvents,
  ) {}

  /** Texts that the thread was sent and has not answered. */
  get load(): number {
    return this.offered.size;
  }

  start(): void {
    const workerNumber = this.nextNumber();
    this.state = 'starting';
    this.workerNumber = workerNumber;
    let thread: WorkerThread;
    try {
      thread = this.spawn(workerNumber);
    } catch (error) {
      this.onDeath(workerNumber, toError(error));
      return;
    }
    this.thread = thread;
    thread.on('message', (message) => this.onMessage(workerNumber, message));
    thread.on('error', (error) => this.onDeath(workerNumber, toError(error)));
    thread.on('exit', (code) => this.onDeath(workerNumber, new Error(`The embedding thread ended with exit code ${code}`)));
  }

  offer(task: EmbedTask): void {
    this.offered.set(task.id, task);
    if (task.lane === 'document') this.documentLoad++;
    task.offeredTo.add(this);
    this.thread!.postMessage(task.message());
  }

  /** Forgets a text that this thread will not answer, because it was withdrawn or another thread took it. */
  forget(task: EmbedTask): void {
    if (this.offered.delete(task.id) && task.lane === 'document') this.documentLoad--;
    task.offeredTo.delete(this);
  }

  find(id: number): EmbedTask | undefined {
    return this.offered.get(id);
  }

  /** Ends the thread for good. What it had been sent is the caller's to reject. */
  async close(): Promise<void> {
    this.state = 'closed';
    if (this.timer !== null) clearTimeout(this.timer);
    const thread = this.thread;
    this.thread = null;
    await thread?.terminate();
  }

  private onMessage(workerNumber: number, message: WorkerMessage): void {
    if (workerNumber !== this.workerNumber || this.state === 'closed') return;
    if (message.type === 'ready') {
      this.state = 'ready';
      this.events.ready(this);
      return;
    }
    this.failuresInARow = 0;
    this.events.answered(this, message);
  }

  /** A thread that throws emits `error` and then `exit`: only the first counts. */
  private onDeath(workerNumber: number, error: Error): void {
    if (workerNumber !== this.workerNumber || this.state === 'closed' || this.state === 'waiting') return;
    this.thread = null;
    this.state = 'waiting';
    this.lastError = error;
    this.failuresInARow++;
    const offered = [...this.offered.values()];
    for (const task of offered) this.forget(task);
    const delayMs = restartDelayMs(this.failuresInARow);
    this.logger.error(`An embedding thread died (${error.message}); the next one starts in ${delayMs} ms`);
    if (delayMs === 0) this.restart();
    else this.timer = setTimeout(() => this.restart(), delayMs).unref();
    this.events.died(offered, workerNumber);
  }

  private restart(): void {
    this.timer = null;
    this.restarts++;
    this.start();
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

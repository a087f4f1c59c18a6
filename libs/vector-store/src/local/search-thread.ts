import { Worker, type TransferListItem } from 'node:worker_threads';
import { VectorStoreError } from '../vector-store-error.js';
import type { CallOptions } from '../vector-store.js';
import { searchWorkerUrl } from './search-worker-url.js';
import type { WorkerOperation, WorkerOperations, WorkerReply, WorkerRequest, WorkerSettings } from './worker-messages.js';

interface PendingCall {
  readonly resolve: (result: never) => void;
  readonly reject: (error: VectorStoreError) => void;
}

export interface SearchThreadListeners {
  /** The thread ended although nobody closed it; every point since the last snapshot is gone. */
  readonly onDeath: (cause: Error) => void;
  readonly onSnapshotFailed: (collection: string, message: string) => void;
}

/** How long a thread may take to end once it has nothing left to do. */
const EXIT_TIMEOUT_MS = 1_000;

/** Asks the search thread and waits for its answers. */
export class SearchThread {
  private readonly worker: Worker;
  private readonly pending = new Map<number, PendingCall>();
  private nextId = 1;
  private isEnding = false;
  private death: Error | null = null;

  constructor(
    settings: WorkerSettings,
    private readonly listeners: SearchThreadListeners,
  ) {
    this.worker = new Worker(searchWorkerUrl(), { workerData: settings, name: 'vector-search' });
    this.worker.on('message', (reply: WorkerReply) => this.receive(reply));
    this.worker.on('error', (error) => this.end(error instanceof Error ? error : new Error(String(error))));
    this.worker.on('exit', (code) => this.end(new Error(`The search thread ended with code ${code}`)));
    // A process that forgets to close the store must still be able to end; calls that wait keep it alive by their timers.
    this.worker.unref();
  }

  /**
   * Sends one request.
   *
   * @param transfer buffers that the thread takes over; they are empty here afterwards
   * @throws VectorStoreError of the thread; `unavailable` when it is gone, the time is over or the signal fires (the thread may still carry a write out)
   */
  call<Operation extends WorkerOperation>(
    operation: Operation,
    args: WorkerOperations[Operation]['args'],
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: CallOptions['signal'] },
    transfer: readonly TransferListItem[] = [],
  ): Promise<WorkerOperations[Operation]['result']> {
    return new Promise((resolve, reject) => {
      if (this.death !== null) return reject(unavailable(this.death.message, this.death));
      if (signal?.aborted === true) return reject(unavailable(`${operation} was aborted`, signal.reason));
      const id = this.nextId++;
      const settle = () => {
        this.pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: VectorStoreError) => {
        settle();
        reject(error);
      };
      const onAbort = () => fail(unavailable(`${operation} was aborted`, signal?.reason));
      const timer = setTimeout(() => fail(unavailable(`${operation} took longer than ${timeoutMs} ms`)), timeoutMs);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.pending.set(id, {
        resolve: (result) => {
          settle();
          resolve(result);
        },
        reject: fail,
      });
      const request: WorkerRequest<Operation> = { id, operation, args };
      this.worker.postMessage(request, transfer);
    });
  }

  /**
   * Lets the thread write what is new, and waits for it to end by itself: a thread that is terminated inside native code takes the whole process with it.
   *
   * @throws VectorStoreError when the snapshots could not be written; the thread has ended all the same
   */
  async close(timeoutMs: number): Promise<void> {
    this.isEnding = true;
    const hasExited = new Promise<void>((resolve) => this.worker.once('exit', () => resolve()));
    try {
      await this.call('close', null, { timeoutMs });
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([hasExited, new Promise((resolve) => (timer = setTimeout(resolve, EXIT_TIMEOUT_MS)))]);
      clearTimeout(timer);
    } finally {
      await this.terminate();
    }
  }

  /** Ends the thread without asking it to write anything. */
  async terminate(): Promise<void> {
    this.isEnding = true;
    await this.worker.terminate();
  }

  private receive(reply: WorkerReply): void {
    if ('event' in reply) return this.listeners.onSnapshotFailed(reply.collection, reply.message);
    const call = this.pending.get(reply.id);
    // Nobody waits any more: the call was given up.
    if (call === undefined) return;
    if ('failure' in reply) call.reject(new VectorStoreError(reply.failure.kind, reply.failure.message));
    else call.resolve(reply.result as never);
  }

  private end(cause: Error): void {
    if (this.death !== null) return;
    this.death = cause;
    for (const call of [...this.pending.values()]) call.reject(unavailable('The search thread has ended', cause));
    if (!this.isEnding) this.listeners.onDeath(cause);
  }
}

export function unavailable(message: string, cause?: unknown): VectorStoreError {
  return new VectorStoreError('unavailable', message, { cause });
}

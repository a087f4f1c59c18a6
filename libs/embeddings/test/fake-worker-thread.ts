import { EventEmitter } from 'node:events';
import { WorkerLanes } from '../src/transformers/worker-lanes.js';
import type { EmbedMessage, WorkerMessage, ThreadSettings } from '../src/transformers/worker-protocol.js';
import type { WorkerThread } from '../src/transformers/worker-slot.js';

/** Double of an embedding thread, without a thread: the test says when it is ready, takes a text, answers or dies. */
export class FakeWorkerThread extends EventEmitter implements WorkerThread {
  readonly received: EmbedMessage[] = [];
  isTerminated = false;
  private readonly lanes: WorkerLanes;

  constructor(readonly workerNumber: number) {
    super();
    this.lanes = new WorkerLanes(workerNumber);
  }

  postMessage(message: EmbedMessage): void {
    this.received.push(message);
    this.lanes.push(message);
  }

  terminate(): Promise<number> {
    this.isTerminated = true;
    this.emit('exit', 1);
    return Promise.resolve(1);
  }

  becomeReady(): void {
    this.send({ type: 'ready' });
  }

  /** Claims the next text as the real thread does, and begins with it; `null` when there is none for it. */
  take(): EmbedMessage | null {
    return this.lanes.next();
  }

  /** Takes the next text and embeds it as the given vector; returns the text, or `null`. */
  embedNext(vector: Float32Array = Float32Array.of(1, 0, 0)): string | null {
    const message = this.take();
    if (message !== null) this.answer(message, vector);
    return message?.text ?? null;
  }

  answer(message: EmbedMessage, vector: Float32Array = Float32Array.of(1, 0, 0)): void {
    this.send({ type: 'embedded', id: message.id, vector, tokens: 3, isTruncated: false, runMs: 1 });
  }

  refuse(message: EmbedMessage, reason: string): void {
    this.send({ type: 'failed', id: message.id, reason });
  }

  /** An uncaught error: `error`, then `exit`. */
  crash(message = 'out of memory'): void {
    this.emit('error', new Error(message));
    this.emit('exit', 1);
  }

  private send(message: WorkerMessage): void {
    this.emit('message', message);
  }
}

/** Starts fake threads and keeps them in order of their start. */
export class FakeThreads {
  readonly started: FakeWorkerThread[] = [];
  /** What each thread was started with, when an embedder started it. */
  readonly settings: ThreadSettings[] = [];

  readonly spawn = (workerNumber: number): FakeWorkerThread => {
    const thread = new FakeWorkerThread(workerNumber);
    this.started.push(thread);
    return thread;
  };

  readonly start = (settings: ThreadSettings): FakeWorkerThread => {
    this.settings.push(settings);
    return this.spawn(settings.workerNumber);
  };

  /** The thread that was started as number `index`, counted from 0. */
  at(index: number): FakeWorkerThread {
    const thread = this.started[index];
    if (thread === undefined) throw new Error(`Only ${this.started.length} threads were started`);
    return thread;
  }
}

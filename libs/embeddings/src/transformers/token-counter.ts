import { Worker } from 'node:worker_threads';
import { DomainError } from '#kernel';
import { builtThreadFile } from '../bundled-files.js';
import type { TokenizerFiles } from './text-tokenizer.js';

/** Texts on their way to the thread. */
export interface CountMessage {
  readonly id: number;
  readonly texts: readonly string[];
}

/** What the thread answers: the counts in the order of the texts. */
export interface CountReply {
  readonly id: number;
  readonly counts: readonly number[];
}

/** The part of a `node:worker_threads` Worker that the counter uses. */
export interface CountingThread {
  postMessage(message: CountMessage): void;
  on(event: 'message', listener: (reply: CountReply) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: (exitCode: number) => void): unknown;
  terminate(): Promise<unknown>;
}

/** Characters that are sent at a time, about 50 ms of work: calls take turns at this grain, and one that is aborted stops within it. */
const SLICE_CHARACTERS = 64 * 1_024;

interface Waiter {
  readonly resolve: (counts: readonly number[]) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Counts tokens in a thread of its own, which is started by the first call: in the calling thread a document of 10,000 characters would stop the event
 * loop for 8 ms, and in the threads that embed it would hold up queries.
 *
 * The thread has no part of the model runtime in it, so it may be terminated at any time.
 */
export class TokenCounter {
  private readonly waiters = new Map<number, Waiter>();
  private thread: CountingThread | null = null;
  private lastId = 0;
  private isClosed = false;

  /** @param startThread default: a thread that runs the built `token-counting-worker.js` */
  constructor(
    private readonly files: TokenizerFiles,
    private readonly startThread: (files: TokenizerFiles) => CountingThread = (workerData) =>
      new Worker(builtThreadFile('token-counting-worker'), { workerData, name: 'token-counting' }),
  ) {}

  /**
   * Counts the tokens of each text, special tokens included, in the order of `texts`.
   *
   * @throws DomainError `search.embedder-unavailable` when the thread died or was closed; the signal's reason when it is aborted
   */
  async count(texts: readonly string[], signal?: AbortSignal): Promise<number[]> {
    const counts: number[] = [];
    for (const slice of slicesOf(texts)) {
      signal?.throwIfAborted();
      counts.push(...(await this.countSlice(slice, signal)));
    }
    return counts;
  }

  /** Rejects what is in flight and ends the thread. Idempotent. */
  async close(): Promise<void> {
    this.isClosed = true;
    const { thread } = this;
    this.lose(thread, unavailable('The embedder is closed'));
    await thread?.terminate();
  }

  private countSlice(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly number[]> {
    if (this.isClosed) return Promise.reject(unavailable('The embedder is closed'));
    const thread = (this.thread ??= this.start());
    const id = ++this.lastId;
    return new Promise<readonly number[]>((resolve, reject) => {
      const leave = () => {
        this.waiters.delete(id);
        reject(signal!.reason as Error);
      };
      const settled = () => signal?.removeEventListener('abort', leave);
      signal?.addEventListener('abort', leave, { once: true });
      this.waiters.set(id, {
        resolve: (counts) => (settled(), resolve(counts)),
        reject: (reason) => (settled(), reject(reason)),
      });
      thread.postMessage({ id, texts });
    });
  }

  private start(): CountingThread {
    const thread = this.startThread(this.files);
    thread.on('message', ({ id, counts }) => {
      this.waiters.get(id)?.resolve(counts);
      this.waiters.delete(id);
    });
    thread.on('error', (cause) => this.lose(thread, unavailable('The thread that counts tokens died', cause)));
    thread.on('exit', (code) => this.lose(thread, unavailable(`The thread that counts tokens ended with exit code ${code}`)));
    return thread;
  }

  /** A thread that throws emits `error` and then `exit`: only the first counts. */
  private lose(thread: CountingThread | null, reason: DomainError): void {
    if (thread === null || this.thread !== thread) return;
    this.thread = null;
    for (const waiter of this.waiters.values()) waiter.reject(reason);
    this.waiters.clear();
  }
}

function* slicesOf(texts: readonly string[]): Generator<readonly string[]> {
  let slice: string[] = [];
  let characters = 0;
  for (const text of texts) {
    slice.push(text);
    // An empty text is no work, but a place in the message.
    characters += 1 + text.length;
    if (characters < SLICE_CHARACTERS) continue;
    yield slice;
    slice = [];
    characters = 0;
  }
  if (slice.length > 0) yield slice;
}

function unavailable(detail: string, cause?: unknown): DomainError {
  return new DomainError('search.embedder-unavailable', { detail, cause });
}

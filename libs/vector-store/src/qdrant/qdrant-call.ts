import type { CallOptions } from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';
import { isSocketError, toVectorStoreError } from './qdrant-errors.js';
import type { QdrantApi, QdrantLane } from './qdrant-lane.js';

/** The server gives up first, so that its answer (which says what happened) still arrives within the budget. */
const SERVER_SHARE_OF_BUDGET = 0.8;

type Reply<T> = Promise<{ readonly data: { readonly result?: T } }>;

/**
 * One call of the port: a budget and a signal over any number of requests.
 *
 * `send` rejects with VectorStoreError only.
 */
export class QdrantCall {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly deadlineMs: number;
  private readonly stopListening: (() => void)[] = [];

  /**
   * @param action what the call does, as "…to {action}" in messages
   * @param budgetMs for all requests of the call together, milliseconds
   * @param closing aborts when the store is closed
   */
  constructor(
    private readonly lane: QdrantLane,
    private readonly action: string,
    private readonly budgetMs: number,
    options: CallOptions,
    closing: AbortSignal,
  ) {
    this.deadlineMs = performance.now() + budgetMs;
    this.timer = setTimeout(() => this.giveUp(`no answer within ${budgetMs} ms`), budgetMs);
    this.follow(closing, 'the store was closed');
    if (options.signal !== undefined) this.follow(options.signal, 'the caller gave up');
  }

  /**
   * Sends one request and returns its `result`; sends it once more, at once, when the connection broke under it.
   *
   * @param isUsable whether the result is what its type says; the client library does not look
   */
  async send<T>(
    request: (api: QdrantApi, init: RequestInit, timeoutSeconds: number) => Reply<T>,
    isUsable: (result: T) => boolean,
  ): Promise<T> {
    const data = (await this.exchange(request)) as { readonly result?: T } | null;
    if (data?.result === undefined || data.result === null || !isUsable(data.result))
      throw new VectorStoreError('unavailable', `Qdrant gave no usable answer to ${this.action}`);
    return data.result;
  }

  /** As {@link send}, for replies without the usual envelope. */
  async exchange<T>(request: (api: QdrantApi, init: RequestInit, timeoutSeconds: number) => Promise<{ readonly data: T }>): Promise<T> {
    const attempt = async (): Promise<T> => {
      this.throwIfGivenUp();
      const reply = await request(this.lane.api, this.lane.requestInit(this.controller.signal), this.remainingServerSeconds());
      return reply.data;
    };
    try {
      return await attempt().catch((error: unknown) => {
        if (!isSocketError(error)) throw error;
        return attempt();
      });
    } catch (error) {
      this.throwIfGivenUp();
      throw toVectorStoreError(error, this.action);
    }
  }

  /** Must be called when the call is over, whatever its end. */
  finish(): void {
    clearTimeout(this.timer);
    for (const stop of this.stopListening) stop();
  }

  /** Whole seconds, at least 1: zero is refused by the server, and less time than that is bounded by the signal alone. */
  private remainingServerSeconds(): number {
    const remainingMs = Math.min(this.budgetMs, this.deadlineMs - performance.now());
    return Math.max(1, Math.floor((remainingMs * SERVER_SHARE_OF_BUDGET) / 1000));
  }

  private throwIfGivenUp(): void {
    const { signal } = this.controller;
    if (signal.aborted) throw signal.reason;
  }

  private giveUp(reason: string, cause?: unknown): void {
    this.controller.abort(new VectorStoreError('unavailable', `Gave up to ${this.action}: ${reason}`, { cause }));
  }

  private follow(signal: AbortSignal, reason: string): void {
    const onAbort = (): void => this.giveUp(reason, signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.stopListening.push(() => signal.removeEventListener('abort', onAbort));
  }
}

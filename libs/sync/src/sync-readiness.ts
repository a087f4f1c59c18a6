/** What the start is waiting for, in the order of the start; `failed` is final. */
export type SyncState = 'waiting for the database' | 'loading the model' | 'comparing the index' | 'ready' | 'failed';

/**
 * Says when this process can answer: migrations done, model loaded, and the local index compared with the ledger. Once ready it stays so.
 *
 * A remote index that is down does not hold it up: writes are accepted, and searches answer `search.index-unavailable` until it is back.
 */
export class SyncReadiness {
  private current: SyncState = 'waiting for the database';
  private readonly outcome = Promise.withResolvers<void>();

  constructor() {
    // Whoever waits gets the error; nobody has to wait.
    this.outcome.promise.catch(() => undefined);
  }

  get isReady(): boolean {
    return this.current === 'ready';
  }

  get state(): SyncState {
    return this.current;
  }

  /** Resolves when ready; rejects with what a person must change first. Pending for ever when the start is called off. */
  whenReady(): Promise<void> {
    return this.outcome.promise;
  }

  /** For the start of the engine only. */
  advance(state: Exclude<SyncState, 'failed'>): void {
    if (this.current === 'ready' || this.current === 'failed') return;
    this.current = state;
    if (state === 'ready') this.outcome.resolve();
  }

  /** For the start of the engine only. */
  fail(error: Error): void {
    if (this.current === 'ready') return;
    this.current = 'failed';
    this.outcome.reject(error);
  }
}

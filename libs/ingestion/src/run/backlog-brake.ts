import type { IndexDirectory } from '#sync';
import { setTimeout as delay } from 'node:timers/promises';

/** Rows that wait for the index before an import pauses: some seconds of embedding, which is what a change made by hand may have to wait behind them. */
const BACKLOG_MAXIMUM = 1_500;
/** Without any progress of the index for so long it is away, and rows are worth more than their order: the import goes on, slowly. */
const PATIENCE_MS = 3_000;
/** Each look counts exactly what waits: soon at first, for a batch waits that could be written, and then less often. */
const FIRST_LOOK_MS = 100;
const LOOK_MAXIMUM_MS = 1_000;
const LOOK_GROWTH = 1.5;

/** Keeps an import from running so far ahead of the index that other changes have to wait for it. */
export class BacklogBrake {
  constructor(
    private readonly directory: Pick<IndexDirectory, 'serving' | 'backlog'>,
    private readonly monotonicMs: () => number = () => performance.now(),
    private readonly wait: (ms: number, signal: AbortSignal) => Promise<void> = (ms, signal) => delay(ms, undefined, { signal }),
  ) {}

  /**
   * Resolves when the backlog is small enough, or does not shrink.
   *
   * @param release as soon as it aborts, nothing is waited for any more
   * @throws the signal's reason as soon as it aborts
   */
  async pass(source: string, signal: AbortSignal, release: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, release]);
    let least = Number.POSITIVE_INFINITY;
    let sinceMs = this.monotonicMs();
    for (let lookMs = FIRST_LOOK_MS; !release.aborted; lookMs = Math.min(lookMs * LOOK_GROWTH, LOOK_MAXIMUM_MS)) {
      const pending = await this.pendingOf(source);
      if (pending <= BACKLOG_MAXIMUM) return;
      if (pending < least) {
        least = pending;
        sinceMs = this.monotonicMs();
      }
      if (this.monotonicMs() - sinceMs >= PATIENCE_MS) return;
      await this.wait(lookMs, either).catch(() => signal.throwIfAborted());
    }
  }

  /** An index that is not there yet has no backlog. */
  private async pendingOf(source: string): Promise<number> {
    try {
      return await this.directory.backlog(await this.directory.serving(source));
    } catch {
      return 0;
    }
  }
}

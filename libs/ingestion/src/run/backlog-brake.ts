import type { IndexDirectory } from '#sync';
import { setTimeout as delay } from 'node:timers/promises';

/** Rows that wait for the index before an import pauses: some seconds of embedding, which is what a change made by hand may have to wait behind them. */
const BACKLOG_MAXIMUM = 1_500;
/** Without any progress of the index for so long it is away, and rows are worth more than their order: the import goes on, slowly. */
const PATIENCE_MS = 3_000;
const LOOK_EVERY_MS = 100;

/** Keeps an import from running so far ahead of the index that other changes have to wait for it. */
export class BacklogBrake {
  constructor(
    private readonly directory: Pick<IndexDirectory, 'serving' | 'backlog'>,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  /** Resolves when the backlog is small enough, or does not shrink. @throws the signal's reason as soon as it aborts */
  async pass(source: string, signal: AbortSignal): Promise<void> {
    let least = Number.POSITIVE_INFINITY;
    let sinceMs = this.monotonicMs();
    for (;;) {
      const pending = await this.pendingOf(source);
      if (pending <= BACKLOG_MAXIMUM) return;
      if (pending < least) {
        least = pending;
        sinceMs = this.monotonicMs();
      }
      if (this.monotonicMs() - sinceMs >= PATIENCE_MS) return;
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
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

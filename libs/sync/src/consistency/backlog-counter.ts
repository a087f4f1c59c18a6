import type { SqlSession } from '#database';
import { countPending } from '../ledger/count-pending.js';

/**
 * Counts what is pending, exactly, however many ask at once: one count runs at a time, and whoever comes meanwhile shares the next one. Sharing the
 * running one would miss what was written since it began, which may be the caller's own write.
 */
export class BacklogCounter {
  private readonly running = new Map<number, Promise<unknown>>();
  private readonly queued = new Map<number, Promise<number>>();

  constructor(private readonly session: SqlSession) {}

  /** Entries of the generation whose change had not reached the index at a moment between the call and its answer. */
  count(generationId: number): Promise<number> {
    const known = this.queued.get(generationId);
    if (known !== undefined) return known;
    const next = this.countAfter(this.running.get(generationId), generationId);
    this.queued.set(generationId, next);
    return next;
  }

  private async countAfter(before: Promise<unknown> | undefined, generationId: number): Promise<number> {
    // Even without one before: callers of the same moment share the count.
    await before?.catch(() => undefined);
    await Promise.resolve();
    this.queued.delete(generationId);
    const counting = countPending(this.session, generationId);
    this.running.set(generationId, counting);
    try {
      return await counting;
    } finally {
      if (this.running.get(generationId) === counting) this.running.delete(generationId);
    }
  }
}

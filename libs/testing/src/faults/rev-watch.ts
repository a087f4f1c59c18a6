import type { VectorStore } from '#vector-store';
import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;
const PAGE_SIZE = 10_000;

/**
 * Looks at the revs of all points again and again, and notes those that went down while nobody deleted the row (I4).
 *
 * It samples, so it can miss a moment; the seeded model looks after every step. Rows that were ever deleted are left out: until its tombstone is
 * checked, a late write may bring an older point back.
 */
export class RevWatch {
  readonly violations: string[] = [];
  looks = 0;
  private readonly revs = new Map<string, number>();

  constructor(
    private readonly store: VectorStore,
    private readonly collection: string,
    private readonly isExempt: (id: string) => boolean,
  ) {}

  /** Looks until the signal aborts; a store that is away is looked at again later. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look().catch(() => undefined);
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async look(): Promise<void> {
    const { points } = await this.store.scroll(this.collection, { limit: PAGE_SIZE });
    this.looks++;
    for (const { id, payload } of points) {
      const before = this.revs.get(id) ?? 0;
      if (payload.rev < before && !this.isExempt(id)) this.violations.push(`I4 ${id} went from rev ${before} to ${payload.rev}`);
      this.revs.set(id, payload.rev);
    }
  }
}

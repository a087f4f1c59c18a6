import type { SqlSession } from '#database';
import type { VectorStore } from '#vector-store';
import { lastVersion } from '../ledger/raise-version-sequence.js';

const PAGE_SIZE = 1_000;

/**
 * Finds the highest rev above `floor`, or returns `floor`. Each round reads at most 1,000 points above the best so far; ids and revs have nothing to do with
 * each other, so a round leaves about a thousandth.
 */
export async function highestRevAbove(store: VectorStore, collection: string, floor: number, signal?: AbortSignal): Promise<number> {
  for (let highest = floor; ;) {
    const filter = { kind: 'range', field: 'rev', gt: highest } as const;
    // Almost always there is none, and a count tells it faster than a page.
    if ((await store.count(collection, filter, { signal })) === 0) return highest;
    const { points } = await store.scroll(collection, { limit: PAGE_SIZE, filter }, { signal });
    if (points.length === 0) return highest;
    for (const { payload } of points) highest = Math.max(highest, payload.rev);
  }
}

/**
 * Whether a point is newer than every version that the database has given out: then the database was restored from an older copy.
 *
 * The sequence is read once more after the points: what a relay has written meanwhile is not newer than that.
 */
export async function isIndexAhead(session: SqlSession, store: VectorStore, collection: string, signal?: AbortSignal): Promise<boolean> {
  const before = await lastVersion(session);
  const highest = await highestRevAbove(store, collection, before, signal);
  return highest > before && highest > (await lastVersion(session));
}

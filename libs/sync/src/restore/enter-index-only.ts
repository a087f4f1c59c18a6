import type { RelayUnitOfWork } from '#database';
import type { VectorStore } from '#vector-store';
import type { IndexGeneration } from '../generations/index-generation.js';
import { enterUnknownPoints } from '../ledger/enter-unknown-points.js';
import { getEntries } from '../ledger/list-entries.js';
import { isOwnPoint } from '../reconciler/compare-point.js';

const PAGE_SIZE = 1_000;

/** Enters the points that the ledger does not know (protocol rule 10), so that the relay writes or deletes them; returns how many. */
export async function enterIndexOnly(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  generation: IndexGeneration,
  signal?: AbortSignal,
): Promise<number> {
  let entered = 0;
  for (let after: string | undefined; ;) {
    signal?.throwIfAborted();
    const page = await store.scroll(generation.collection, { limit: PAGE_SIZE, after }, { signal });
    const points = page.points.filter(isOwnPoint).map(({ id, payload }) => ({ id, rev: payload.rev }));
    const known = new Set(
      (
        await getEntries(
          unitOfWork,
          generation.id,
          points.map(({ id }) => id),
        )
      ).map(({ sourceId }) => sourceId),
    );
    const unknown = points.filter(({ id }) => !known.has(id));
    entered += (await enterUnknownPoints(unitOfWork, generation.id, unknown)).length;
    if (page.next === null) return entered;
    after = page.next;
  }
}

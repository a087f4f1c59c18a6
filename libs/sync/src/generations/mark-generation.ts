import type { RelayUnitOfWork } from '#database';
import { getEntries, listEntries } from '../ledger/list-entries.js';
import { markPending } from '../ledger/mark-pending.js';
import { pause } from '../pause.js';
import { clearGateReport } from './gate-reports.js';

const PAGE_SIZE = 1_000;
const LOCKED_RETRY_MS = 50;

/**
 * Marks every entry of a generation to be written again, and clears all leases (protocol rule 10); returns how many.
 *
 * Page by page, each in its own transaction. An entry that a writer has locked is tried again until it is marked: the writer's change alone would
 * leave its old bookkeeping trusted. A gate that has passed is void: what it read is no longer there.
 */
export async function markGeneration(unitOfWork: RelayUnitOfWork, generationId: number, signal?: AbortSignal): Promise<number> {
  await clearGateReport(unitOfWork, generationId);
  let marked = 0;
  for (let after: string | null = null; ;) {
    signal?.throwIfAborted();
    const page = await listEntries(unitOfWork, generationId, after, PAGE_SIZE);
    let left = page.map(({ sourceId }) => sourceId);
    while (left.length > 0) {
      const suspects = left.map((sourceId) => ({ sourceId, seenVersion: null, pointRev: null }));
      const reached = new Set(
        await markPending(unitOfWork, generationId, suspects, {
          states: ['pending', 'synced', 'dead', 'tombstone'],
          areLeasesCleared: true,
        }),
      );
      marked += reached.size;
      left = left.filter((id) => !reached.has(id));
      if (left.length === 0) break;
      await pause(LOCKED_RETRY_MS, signal);
      // A tombstone may have been purged meanwhile.
      left = (await getEntries(unitOfWork, generationId, left)).map(({ sourceId }) => sourceId);
    }
    if (page.length < PAGE_SIZE) return marked;
    after = page.at(-1)!.sourceId;
  }
}

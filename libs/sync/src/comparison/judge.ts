import type { StoredPoint } from '#vector-store';
import type { LedgerEntry } from '../ledger/list-entries.js';

/**
 * What one id looks like on both sides.
 *
 * - `same`: nothing to do now
 * - `suspect`: the entry must be marked, so that the relay writes the row again
 * - `unknown`: the point has no entry and needs one
 */
export type Verdict = 'same' | 'suspect' | 'unknown';

/**
 * Compares an entry with its point (protocol rule 9, for an index that may have lost writes it had acknowledged).
 *
 * An entry that is pending anyway is suspect in two cases only: its bookkeeping names a point that is not there, so that equal hashes would lead to
 * a skip; or the point's rev is not below its version, so that the fence would refuse the write.
 */
export function judge(entry: LedgerEntry | null, point: StoredPoint | null): Verdict {
  if (entry === null) return point === null ? 'same' : 'unknown';
  const isAhead = point !== null && point.payload.rev >= entry.version;
  switch (entry.state) {
    case 'synced':
      return isAsRecorded(entry, point) ? 'same' : 'suspect';
    case 'pending':
      return isAhead || (!entry.isInDoubt && entry.indexedVersion !== null && !isAsRecorded(entry, point)) ? 'suspect' : 'same';
    case 'tombstone':
      // The check after the grace deletes an older point; one that is ahead would survive it.
      return isAhead ? 'suspect' : 'same';
    case 'dead':
      // Requeueing marks it.
      return 'same';
  }
}

function isAsRecorded(entry: LedgerEntry, point: StoredPoint | null): boolean {
  return (
    point !== null &&
    point.payload.rev === entry.indexedVersion &&
    point.payload.text_hash === entry.indexedHash &&
    point.payload.payload_hash === entry.indexedPayloadHash
  );
}

import type { StoredPoint } from '#vector-store';
import type { LedgerEntry } from '../ledger/list-entries.js';

/**
 * What the copy of one id needs to hold what the index holds, as the ledger has recorded it.
 *
 * - `write`: it lacks the content, or has an older one
 * - `replace`: it has other content under a rev that the fence would take for newer; only a restored database leads there
 * - `remove`: the index holds nothing
 */
export type CopyVerdict = 'same' | 'write' | 'replace' | 'remove';

/** @param entry `null` = the ledger does not know the id */
export function judgeCopy(entry: LedgerEntry | null, point: StoredPoint | null): CopyVerdict {
  if (entry === null || entry.indexedVersion === null) return point === null ? 'same' : 'remove';
  if (point === null) return 'write';
  const { rev, text_hash, payload_hash } = point.payload;
  if (rev === entry.indexedVersion && text_hash === entry.indexedHash && payload_hash === entry.indexedPayloadHash) return 'same';
  return rev < entry.indexedVersion ? 'write' : 'replace';
}

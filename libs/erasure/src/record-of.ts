import type { ErasureRecord } from './erasure-record.js';
import type { ErasureSubject } from './erasure.js';

/** What is written down of it outside of the database. */
export function recordOf({ id, kind, targetId, source, pointIds, textHashes, requestedAt }: ErasureSubject): ErasureRecord {
  return {
    erasure_id: id,
    kind,
    target_id: targetId,
    source,
    point_ids: [...pointIds],
    text_hashes: textHashes.map((hash) => hash.toString('hex')),
    requested_at: requestedAt.toISOString(),
  };
}

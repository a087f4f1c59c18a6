import type { SqlSession } from '#database';
import { erasureRecordSchema, type ErasureKind, type ErasureRecord } from './erasure-record.js';

/* Only a row that was there then: one that was made later under the same id is another row. The triggers tell the ledger. */
const DELETE: Readonly<Record<ErasureKind, string>> = {
  project: 'DELETE FROM projects WHERE id = $1::uuid AND created_at <= $2::timestamptz',
  document: 'DELETE FROM documents WHERE id = $1::uuid AND created_at <= $2::timestamptz',
};

/* What the restored database does not know, or knew as pending, is proven once more, in the index and the caches that it has now. */
const ENTER = `
INSERT INTO erasures AS e (id, kind, target_id, source, point_ids, text_hashes, requested_at, logged_at)
VALUES ($1::uuid, $2, $3::uuid, $4, $5::uuid[], (SELECT coalesce(array_agg(decode(h, 'hex')), '{}') FROM unnest($6::text[]) AS h), $7::timestamptz, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET state = 'pending', attempts = 0, next_attempt_at = now(), finished_at = NULL, last_error = NULL`;

const FORGET_STEPS = 'DELETE FROM erasure_steps WHERE erasure_id = $1::uuid';

/**
 * Deletes again whatever of the log a restored database still has, in the transaction of the restore, and enters the erasures, so that they are proven anew.
 *
 * @param logged lines of the log, of the backup and of the file outside; twice is once
 * @returns how many rows were deleted
 */
export async function reapplyErasures(session: SqlSession, logged: readonly unknown[]): Promise<number> {
  const records = new Map<string, ErasureRecord>();
  for (const line of logged) {
    const record = erasureRecordSchema.parse(line);
    if (!records.has(record.erasure_id)) records.set(record.erasure_id, record);
  }
  let deleted = 0;
  for (const record of records.values()) {
    const {
      erasure_id: id,
      kind,
      target_id: targetId,
      source,
      point_ids: pointIds,
      text_hashes: hashes,
      requested_at: requestedAt,
    } = record;
    const { rowCount } = await session.query(DELETE[kind], [targetId, requestedAt]);
    deleted += rowCount;
    await session.query(ENTER, [id, kind, targetId, source, pointIds, hashes, requestedAt]);
    await session.query(FORGET_STEPS, [id]);
  }
  return deleted;
}

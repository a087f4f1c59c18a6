import type { SqlSession } from '#database';

/*
 * Protocol rule 8. Only what is still the tombstone that was checked: a row that came back meanwhile has a newer version, and its entry must stay.
 */
const PURGE = `
WITH absent AS (
  SELECT l.source_id
  FROM unnest($3::uuid[], $4::bigint[]) AS t (source_id, version)
  CROSS JOIN LATERAL (
    SELECT source_id FROM index_ledger
    WHERE generation_id = $1 AND source_id = t.source_id AND state = 'tombstone' AND version = t.version AND lease_token = $2 FOR UPDATE SKIP LOCKED) l)
DELETE FROM index_ledger AS l USING absent a
WHERE l.generation_id = $1 AND l.source_id = ANY($3::uuid[]) AND l.source_id = a.source_id
RETURNING l.source_id`;

/** Removes the entries of points that were seen to be absent after the grace; returns the ids that were removed. */
export async function purgeTombstones(
  session: SqlSession,
  generationId: number,
  token: string,
  tombstones: readonly { readonly sourceId: string; readonly version: number }[],
): Promise<string[]> {
  const { rows } = await session.query<{ source_id: string }>(PURGE, [
    generationId,
    token,
    tombstones.map(({ sourceId }) => sourceId),
    tombstones.map(({ version }) => version),
  ]);
  return rows.map((row) => row.source_id);
}

import type { SqlSession } from '#database';

/*
 * Protocol rule 8. Only what is still the tombstone that was checked: a row that came back meanwhile has a newer version, and its entry must stay.
 */
const PURGE = `
WITH absent AS (
  SELECT l.generation_id, l.source_id
  FROM unnest($3::uuid[], $4::bigint[]) AS t (source_id, version)
  JOIN index_ledger l ON l.generation_id = $1 AND l.source_id = t.source_id
  WHERE l.state = 'tombstone' AND l.version = t.version AND l.lease_token = $2
  FOR UPDATE OF l SKIP LOCKED)
DELETE FROM index_ledger AS l USING absent a
WHERE l.generation_id = a.generation_id AND l.source_id = a.source_id AND l.state = 'tombstone' AND l.lease_token = $2
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

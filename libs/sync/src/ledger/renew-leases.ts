import type { SqlSession } from '#database';

/*
 * Protocol rule 7. A lease that has ended cannot be renewed, even when nobody has taken the entry yet: another relay may be claiming it now.
 * SKIP LOCKED as for every batch (rule 13).
 */
const RENEW = `
WITH held AS (
  SELECT source_id FROM index_ledger
  WHERE generation_id = $1 AND source_id = ANY($2::uuid[]) AND lease_token = $3 AND lease_until > now()
  FOR UPDATE SKIP LOCKED)
UPDATE index_ledger AS l SET lease_until = now() + $4::double precision * interval '1 millisecond'
FROM held WHERE l.generation_id = $1 AND l.source_id = ANY($2::uuid[]) AND l.source_id = held.source_id
RETURNING l.source_id`;

/** Extends the leases that still run; returns the ids that were reached. */
export async function renewLeases(
  session: SqlSession,
  generationId: number,
  token: string,
  sourceIds: readonly string[],
  leaseMs: number,
): Promise<string[]> {
  const { rows } = await session.query<{ source_id: string }>(RENEW, [generationId, sourceIds, token, leaseMs]);
  return rows.map((row) => row.source_id);
}

import type { SqlSession } from '#database';

export interface Release {
  readonly sourceId: string;
  /** As for a failure: `wasInDoubt` when nothing was sent, else true. */
  readonly isInDoubt: boolean;
}

/* The attempt is given back: a process that stops says nothing about the entry. */
const RELEASE = `
WITH released AS (
  SELECT l.source_id, r.is_in_doubt
  FROM unnest($3::uuid[], $4::boolean[]) AS r (source_id, is_in_doubt)
  CROSS JOIN LATERAL (
    SELECT source_id FROM index_ledger
    WHERE generation_id = $1 AND source_id = r.source_id AND lease_token = $2 FOR UPDATE SKIP LOCKED) l)
UPDATE index_ledger AS l SET lease_token = NULL, lease_until = NULL, attempts = greatest(l.attempts - 1, 0), in_doubt = r.is_in_doubt
FROM released r WHERE l.generation_id = $1 AND l.source_id = ANY($3::uuid[]) AND l.source_id = r.source_id`;

/** Lets go of entries unfinished, so that another relay takes them at once instead of after the lease. Returns how many. */
export async function releaseLeases(
  session: SqlSession,
  generationId: number,
  token: string,
  releases: readonly Release[],
): Promise<number> {
  const { rowCount } = await session.query(RELEASE, [
    generationId,
    token,
    releases.map(({ sourceId }) => sourceId),
    releases.map(({ isInDoubt }) => isInDoubt),
  ]);
  return rowCount;
}

import type { SqlSession } from '#database';

/* The partial index on what is due answers it without touching synced entries. */
const COUNT = `
SELECT count(*)::integer AS pending FROM index_ledger
WHERE generation_id = $1 AND state = 'pending' AND ($2::timestamptz IS NULL OR changed_at <= $2)`;

/** Counts entries whose change has not reached the index; with `until`, those changed by then. Dead entries are not pending. */
export async function countPending(session: SqlSession, generationId: number, until: Date | null = null): Promise<number> {
  const { rows } = await session.query<{ pending: number }>(COUNT, [generationId, until]);
  return rows[0]!.pending;
}

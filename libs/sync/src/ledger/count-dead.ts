import type { SqlSession } from '#database';

/* Answered by the partial index on dead entries. */
const COUNT = `SELECT count(*)::integer AS dead FROM index_ledger WHERE generation_id = $1 AND state = 'dead'`;

/** Counts entries that were given up. */
export async function countDead(session: SqlSession, generationId: number): Promise<number> {
  return (await session.query<{ dead: number }>(COUNT, [generationId])).rows[0]!.dead;
}

import type { SqlSession } from '#database';

/* Stops at the first entry above the limit: a large ledger is not counted to the end. */
const COUNT = `
SELECT count(*)::integer AS points FROM (
  SELECT 1 FROM index_ledger WHERE generation_id = $1 AND indexed_version IS NOT NULL LIMIT $2) AS indexed`;

/** Whether the index of the generation holds more points than `limit`, as the ledger has recorded. */
export async function hasMorePoints(session: SqlSession, generationId: number, limit: number): Promise<boolean> {
  const { rows } = await session.query<{ points: number }>(COUNT, [generationId, limit + 1]);
  return rows[0]!.points > limit;
}

import type { SqlSession } from '#database';

const MARK = `UPDATE index_generations SET filled_at = now() WHERE id = $1 AND filled_at IS NULL`;

/** Records that every row older than the generation has an entry. */
export async function markFilled(session: SqlSession, generationId: number): Promise<void> {
  await session.query(MARK, [generationId]);
}

const IS_FILLED = `SELECT filled_at IS NOT NULL AS is_filled FROM index_generations WHERE id = $1`;

/** Whether every row must have an entry. Read anew: what a caller holds may be from before the fill. */
export async function isFilled(session: SqlSession, generationId: number): Promise<boolean> {
  const { rows } = await session.query<{ is_filled: boolean }>(IS_FILLED, [generationId]);
  return rows[0]?.is_filled ?? false;
}

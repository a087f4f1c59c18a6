import type { SqlSession } from '#database';

const MARK = `UPDATE index_generations SET filled_at = now() WHERE id = $1 AND filled_at IS NULL`;

/** Records that every row older than the generation has an entry. */
export async function markFilled(session: SqlSession, generationId: number): Promise<void> {
  await session.query(MARK, [generationId]);
}

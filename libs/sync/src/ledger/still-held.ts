import type { SqlSession } from '#database';

const STILL_HELD = `
SELECT source_id FROM index_ledger WHERE generation_id = $1 AND source_id = ANY($2::uuid[]) AND lease_token = $3`;

/** Tells entries that a batch statement skipped because a writer has them locked from those that the token holds no longer. Locks nothing. */
export async function stillHeld(session: SqlSession, generationId: number, token: string, sourceIds: readonly string[]): Promise<string[]> {
  const { rows } = await session.query<{ source_id: string }>(STILL_HELD, [generationId, sourceIds, token]);
  return rows.map((row) => row.source_id);
}

import type { SqlSession } from '#database';

/* One row by the primary key: every write of a client runs it, right behind its own commit. */
const READ = `SELECT version FROM index_ledger WHERE generation_id = $1 AND source_id = $2`;

/** The ledger version of a row in a generation, or `null` when it has no entry there. */
export async function readVersion(session: SqlSession, generationId: number, sourceId: string): Promise<number | null> {
  const { rows } = await session.query<{ version: string }>(READ, [generationId, sourceId]);
  return rows[0] === undefined ? null : Number(rows[0].version);
}

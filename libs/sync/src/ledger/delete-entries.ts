import type { SqlSession } from '#database';

/* Only of retired generations, which nothing writes or claims any more. SKIP LOCKED: protocol rule 13; what is skipped is met again. */
const DELETE = `
WITH gone AS (
  SELECT l.generation_id, l.source_id FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
  WHERE l.generation_id = $1 AND g.state = 'retired' LIMIT $2 FOR UPDATE OF l SKIP LOCKED)
DELETE FROM index_ledger l USING gone WHERE l.generation_id = gone.generation_id AND l.source_id = gone.source_id`;

const HAS_ENTRIES = `SELECT EXISTS (SELECT 1 FROM index_ledger WHERE generation_id = $1) AS has_entries`;

/** Deletes at most `limit` entries of a retired generation; returns how many. */
export async function deleteEntries(session: SqlSession, generationId: number, limit: number): Promise<number> {
  return (await session.query(DELETE, [generationId, limit])).rowCount;
}

/** Whether the ledger has an entry of the generation, locked or not. */
export async function hasEntries(session: SqlSession, generationId: number): Promise<boolean> {
  return (await session.query<{ has_entries: boolean }>(HAS_ENTRIES, [generationId])).rows[0]!.has_entries;
}

import type { SqlSession } from '#database';

/* At random, so that one gate after the other looks at different rows; a sort of the synced keys costs about a second per million. */
const SAMPLE = `SELECT source_id FROM index_ledger WHERE generation_id = $1 AND state = 'synced' ORDER BY random() LIMIT $2`;

/** Draws ids of synced entries. */
export async function sampleSyncedIds(session: SqlSession, generationId: number, size: number): Promise<string[]> {
  return (await session.query<{ source_id: string }>(SAMPLE, [generationId, size])).rows.map((row) => row.source_id);
}

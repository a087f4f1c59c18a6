import type { SqlSession } from '#database';
import type { IndexEntryCounts } from '../serving-index.js';

const COUNT = `
SELECT count(*) FILTER (WHERE l.state = 'synced')::integer AS synced, count(*) FILTER (WHERE l.state = 'dead')::integer AS dead
FROM index_generations g JOIN index_ledger l ON l.generation_id = g.id AND l.source_id = ANY($2::uuid[])
WHERE g.source = $1 AND g.state = 'serving'`;

/** Counts how rows stand in the serving generation; a row that the ledger does not know has its whole way before it. */
export async function countStates(session: SqlSession, source: string, ids: readonly string[]): Promise<IndexEntryCounts> {
  const { rows } = await session.query<{ synced: number; dead: number }>(COUNT, [source, ids]);
  const { synced, dead } = rows[0]!;
  return { synced, dead, pending: ids.length - synced - dead };
}

import type { SqlSession } from '#database';
import type { DeadLetterCount } from './dead-letter.js';
import { IS_MUTED } from './is-muted.js';

/* Reads dead entries only, by their partial index. */
const COUNT = `
SELECT l.generation_id, g.source, coalesce(l.last_error ->> 'code', 'unknown') AS code, count(*)::integer AS count
FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
WHERE l.state = 'dead' AND g.state <> 'retired' AND NOT ${IS_MUTED}
GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 3`;

/** Counts dead entries that are not muted by generation and error code, the most frequent code of a generation first. */
export async function countDeadLetters(session: SqlSession): Promise<DeadLetterCount[]> {
  const { rows } = await session.query<{ generation_id: number; source: string; code: string; count: number }>(COUNT);
  return rows.map(({ generation_id: generationId, ...row }) => ({ generationId, ...row }));
}

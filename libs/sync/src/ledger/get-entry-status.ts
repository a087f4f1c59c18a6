import type { SqlSession } from '#database';
import type { IndexEntryStatus } from '../serving-index.js';

const STATUS = `
SELECT l.generation_id, l.state, l.version, l.indexed_version, l.attempts, c.is_truncated, l.last_error
FROM index_generations g
JOIN index_ledger l ON l.generation_id = g.id AND l.source_id = $2
LEFT JOIN embedding_cache c ON c.text_hash = l.indexed_hash
WHERE g.source = $1 AND g.state = 'serving'`;

interface Row {
  generation_id: number;
  state: IndexEntryStatus['state'];
  version: string;
  indexed_version: string | null;
  attempts: number;
  is_truncated: boolean | null;
  last_error: IndexEntryStatus['lastError'];
}

/** Where one row stands in the serving generation, or `null` when the ledger does not know it. */
export async function getEntryStatus(session: SqlSession, source: string, sourceId: string): Promise<IndexEntryStatus | null> {
  const { rows } = await session.query<Row>(STATUS, [source, sourceId]);
  const row = rows[0];
  if (row === undefined) return null;
  return {
    generationId: row.generation_id,
    state: row.state,
    version: Number(row.version),
    indexedVersion: row.indexed_version === null ? null : Number(row.indexed_version),
    attempts: row.attempts,
    isTruncated: row.is_truncated,
    lastError: row.last_error,
  };
}

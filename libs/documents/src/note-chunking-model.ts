import type { SqlSession } from '#database';

/* One collection at a time: its trigger marks all of its documents. */
const NOTE = `
UPDATE collections SET chunking_model_rev = $1 WHERE id = (
  SELECT id FROM collections WHERE chunking_model_rev IS DISTINCT FROM $1::text ORDER BY id LIMIT 1 FOR NO KEY UPDATE
)`;

/**
 * Notes that chunks are cut by the tokens of this model from now on, for the next collection that says otherwise. Where that is another model than before, the
 * chunks of all its documents are made anew.
 */
export async function noteChunkingModel(session: SqlSession, modelRev: string): Promise<void> {
  await session.query(NOTE, [modelRev]);
}

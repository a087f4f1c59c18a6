import type { SqlSession } from '#database';

const NEXT = `
SELECT id, chunking_model_rev AS known FROM collections WHERE chunking_model_rev IS DISTINCT FROM $1::text ORDER BY id LIMIT 1`;
const NOTE = 'UPDATE collections SET chunking_model_rev = $2 WHERE id = $1::uuid AND chunking_model_rev IS DISTINCT FROM $2::text';
/* SKIP LOCKED: what somebody else is writing is left to the trigger. */
const MARK = `
WITH batch AS (
  SELECT id FROM documents WHERE collection_id = $1::uuid AND id > $2::uuid AND chunked_version = version
  ORDER BY id LIMIT $3::int FOR UPDATE SKIP LOCKED
), marked AS (
  UPDATE documents d SET chunked_version = NULL FROM batch WHERE d.id = batch.id RETURNING d.id
)
SELECT id FROM marked ORDER BY id DESC LIMIT 1`;

/** Less than every id. */
const NIL = '00000000-0000-0000-0000-000000000000';
const BATCH_SIZE = 10_000;

/**
 * Notes that chunks are cut by the tokens of this model from now on, for the next collection that says otherwise. Where that is another model than before, the
 * chunks of all its documents are made anew.
 *
 * The documents come first, in batches, because no statement may take long; nobody stores chunks of the new model before it is noted, so none is marked twice.
 * A trigger then marks those that were written meanwhile.
 *
 * @param session of a statement each; what was done when `signal` ends it stays done, and the next call goes on
 */
export async function noteChunkingModel(session: SqlSession, modelRev: string, signal: AbortSignal, batchSize = BATCH_SIZE): Promise<void> {
  const { rows } = await session.query<{ id: string; known: string | null }>(NEXT, [modelRev]);
  const [collection] = rows;
  if (collection === undefined) return;
  let after: string | undefined = collection.known === null ? undefined : NIL;
  while (after !== undefined) {
    if (signal.aborted) return;
    const marked: { rows: { id: string }[] } = await session.query<{ id: string }>(MARK, [collection.id, after, batchSize]);
    after = marked.rows[0]?.id;
  }
  await session.query(NOTE, [collection.id, modelRev]);
}

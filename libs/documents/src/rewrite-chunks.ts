import type { SqlSession } from '#database';
import { sha256OfParts } from '#kernel';
import type { ChunkRow } from './chunk.js';

const REMOVE = `DELETE FROM chunks WHERE document_id = ANY($1::uuid[]) AND id <> ALL($2::uuid[])`;

const MARK = 'UPDATE documents SET chunked_version = version, chunking_until = NULL, chunking_error = NULL WHERE id = ANY($1::uuid[])';

/* Only what differs is written: every row that is touched becomes a change for the index, and the triggers see no more than that. */
const WRITE = `
INSERT INTO chunks AS c (id, document_id, collection_id, ordinal, start_offset, end_offset, context, text, text_hash, language, payload)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::int[], $6::int[], $7::text[], $8::text[], $9::bytea[], $10::text[], $11::jsonb[])
ON CONFLICT (id) DO UPDATE SET document_id = EXCLUDED.document_id, collection_id = EXCLUDED.collection_id, ordinal = EXCLUDED.ordinal,
  start_offset = EXCLUDED.start_offset, end_offset = EXCLUDED.end_offset, context = EXCLUDED.context, text = EXCLUDED.text, text_hash = EXCLUDED.text_hash,
  language = EXCLUDED.language, payload = EXCLUDED.payload
WHERE (c.document_id, c.collection_id, c.ordinal, c.start_offset, c.end_offset, c.context, c.text_hash, c.language, c.payload)
  IS DISTINCT FROM (EXCLUDED.document_id, EXCLUDED.collection_id, EXCLUDED.ordinal, EXCLUDED.start_offset, EXCLUDED.end_offset, EXCLUDED.context,
    EXCLUDED.text_hash, EXCLUDED.language, EXCLUDED.payload)`;

/**
 * Makes the chunks of these documents equal to `chunks`: removes what is no longer there, writes what differs, leaves the rest untouched. Two statements,
 * however many documents; the caller holds the documents' rows locked.
 */
export async function rewriteChunks(session: SqlSession, documentIds: readonly string[], chunks: readonly ChunkRow[]): Promise<void> {
  await session.query(REMOVE, [documentIds, chunks.map(({ id }) => id)]);
  if (chunks.length === 0) return;
  // One order for all writers: two transactions that write the same rows the other way round would wait for each other.
  const sorted = [...chunks].sort((a, b) => (a.id < b.id ? -1 : 1));
  await session.query(WRITE, [
    sorted.map(({ id }) => id),
    sorted.map(({ documentId }) => documentId),
    sorted.map(({ collectionId }) => collectionId),
    sorted.map(({ ordinal }) => ordinal),
    sorted.map(({ start }) => start),
    sorted.map(({ end }) => end),
    sorted.map(({ context }) => context),
    sorted.map(({ text }) => text),
    sorted.map(({ text }) => sha256OfParts(text)),
    sorted.map(({ language }) => language),
    sorted.map(({ payload }) => JSON.stringify(payload)),
  ]);
}

/** Says that the chunks of these documents are those of their present version; the caller holds the documents' rows locked. */
export async function markChunked(session: SqlSession, documentIds: readonly string[]): Promise<void> {
  if (documentIds.length > 0) await session.query(MARK, [documentIds]);
}

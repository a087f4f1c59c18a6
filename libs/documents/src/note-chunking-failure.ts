import type { SqlSession } from '#database';

const NOTE = `
UPDATE documents SET chunking_error = $2, chunking_until = clock_timestamp() + $3::double precision * interval '1 millisecond' WHERE id = $1::uuid`;

/** Notes why a document has no chunks, and when it may be tried again. A change of the document clears both. */
export async function noteChunkingFailure(session: SqlSession, documentId: string, reason: string, retryAfterMs: number): Promise<void> {
  await session.query(NOTE, [documentId, reason, retryAfterMs]);
}

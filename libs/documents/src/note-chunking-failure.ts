import type { SqlSession } from '#database';

const NOTE = `
UPDATE documents SET chunking_error = $3, chunking_until = clock_timestamp() + $4::double precision * interval '1 millisecond'
WHERE id = $1::uuid AND version = $2::int`;

/** Notes why this version of a document has no chunks, and when it may be tried again. A change of the document clears both. */
export async function noteChunkingFailure(
  session: SqlSession,
  { id, version }: { readonly id: string; readonly version: number },
  reason: string,
  retryAfterMs: number,
): Promise<void> {
  await session.query(NOTE, [id, version, reason, retryAfterMs]);
}

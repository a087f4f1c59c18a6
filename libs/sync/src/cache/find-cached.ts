import type { SqlSession } from '#database';

/* Touches nothing: a dry run must not keep vectors alive. */
const FIND = `SELECT encode(text_hash, 'hex') AS text_hash FROM embedding_cache WHERE text_hash = ANY($1::bytea[])`;

/** Which of the texts have a cached vector, by the hex of their hash. */
export async function findCached(session: SqlSession, textHashes: readonly Buffer[]): Promise<Set<string>> {
  if (textHashes.length === 0) return new Set();
  const { rows } = await session.query<{ text_hash: string }>(FIND, [textHashes]);
  return new Set(rows.map((row) => row.text_hash));
}

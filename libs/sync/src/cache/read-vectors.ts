import type { SqlSession } from '#database';
import { findVectorDefect } from '#kernel';
import { toVector } from './vector-bytes.js';

/*
 * A day is exact enough for a purge by age, and keeps almost every read free of writes. SKIP LOCKED: two relays touch the same vectors in different
 * order.
 */
const READ = `
WITH old AS (
  SELECT text_hash FROM embedding_cache WHERE text_hash = ANY($1::bytea[]) AND last_used_at < now() - interval '1 day' FOR UPDATE SKIP LOCKED
), touched AS (
  UPDATE embedding_cache c SET last_used_at = now() FROM old WHERE c.text_hash = old.text_hash
)
SELECT text_hash, vector FROM embedding_cache WHERE text_hash = ANY($1::bytea[])`;

/** Reads cached vectors by the hex of their text hash; what is missing, or is no unit vector of that length, is absent. */
export async function readVectors(
  session: SqlSession,
  textHashes: readonly Buffer[],
  dimensions: number,
): Promise<Map<string, Float32Array>> {
  const vectors = new Map<string, Float32Array>();
  if (textHashes.length === 0) return vectors;
  const { rows } = await session.query<{ text_hash: Buffer; vector: Buffer }>(READ, [textHashes]);
  for (const row of rows) {
    const vector = toVector(row.vector);
    // A vector that was damaged on its way or on disk would be refused by the store for ever; embedding it again heals it.
    if (findVectorDefect(vector, dimensions) === null) vectors.set(row.text_hash.toString('hex'), vector);
  }
  return vectors;
}

import type { SqlSession } from '#database';
import { toBytes } from './vector-bytes.js';

export interface CachedVector {
  readonly textHash: Buffer;
  readonly vector: Float32Array;
  readonly isTruncated: boolean;
}

/* Sorted, so that two relays that store the same texts wait for each other in one order. Overwrites only what differs: a damaged vector. */
const STORE = `
INSERT INTO embedding_cache (text_hash, vector, is_truncated)
SELECT text_hash, vector, is_truncated FROM unnest($1::bytea[], $2::bytea[], $3::boolean[]) AS v (text_hash, vector, is_truncated)
ORDER BY text_hash
ON CONFLICT (text_hash) DO UPDATE SET vector = EXCLUDED.vector, is_truncated = EXCLUDED.is_truncated
WHERE embedding_cache.vector IS DISTINCT FROM EXCLUDED.vector`;

/** Keeps vectors for every later write of the same text; hashes must be distinct. */
export async function storeVectors(session: SqlSession, vectors: readonly CachedVector[]): Promise<void> {
  if (vectors.length === 0) return;
  await session.query(STORE, [
    vectors.map(({ textHash }) => textHash),
    vectors.map(({ vector }) => toBytes(vector)),
    vectors.map(({ isTruncated }) => isTruncated),
  ]);
}

import type { SqlSession } from '#database';
import { findVectorDefect } from '#kernel';
import { toVector } from './vector-bytes.js';

/* Touches nothing, so that it may run where nothing may change. */
const PEEK = 'SELECT text_hash, vector FROM embedding_cache WHERE text_hash = ANY($1::bytea[])';

/** As `readVectors`, but what is read counts as not used. */
export async function peekVectors(
  session: SqlSession,
  textHashes: readonly Buffer[],
  dimensions: number,
): Promise<Map<string, Float32Array>> {
  if (textHashes.length === 0) return new Map();
  const { rows } = await session.query<{ text_hash: Buffer; vector: Buffer }>(PEEK, [textHashes]);
  return new Map(
    rows
      .map((row) => [row.text_hash.toString('hex'), toVector(row.vector)] as const)
      .filter(([, vector]) => findVectorDefect(vector, dimensions) === null),
  );
}

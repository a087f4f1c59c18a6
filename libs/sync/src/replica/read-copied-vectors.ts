import type { SqlSession } from '#database';
import { findVectorDefect } from '#kernel';
import { toVector } from '../cache/vector-bytes.js';

/* Without a note of the use, which a read-only snapshot could not write: what some indexed_hash names is never purged. */
const READ = `
SELECT encode(text_hash, 'hex') AS text_hash, vector FROM embedding_cache
WHERE text_hash IN (SELECT decode(hash, 'hex') FROM unnest($1::text[]) AS wanted (hash))`;

/** Reads cached vectors by the hex of their text hash; what is missing, or is no unit vector of that length, is absent. */
export async function readCopiedVectors(
  session: SqlSession,
  textHashes: readonly string[],
  dimensions: number,
): Promise<Map<string, Float32Array>> {
  if (textHashes.length === 0) return new Map();
  const { rows } = await session.query<{ text_hash: string; vector: Buffer }>(READ, [[...new Set(textHashes)]]);
  const vectors = rows.map(({ text_hash, vector }): [string, Float32Array] => [text_hash, toVector(vector)]);
  return new Map(vectors.filter(([, vector]) => findVectorDefect(vector, dimensions) === null));
}

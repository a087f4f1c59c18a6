import type { SqlSession } from '#database';
import { cosineOf, findVectorDefect, normaliseInPlace } from '#kernel';
import type { IndexGeneration } from '../generations/index-generation.js';
import { textHashOf } from '../hashing.js';
import { peekVectors } from './peek-vectors.js';
import { storeVectors } from './store-vectors.js';

/** A text as the source of the generation renders it, and the vector that the generation's model has given to it. */
export interface TextVector {
  readonly text: string;
  readonly vector: Float32Array;
}

/** Of two vectors that count as the same: services answer the same text with vectors that differ about so much at most. */
export const SAME_VECTOR_COSINE = 0.9999;

/** What decides under which hash the relay looks for a vector. */
export type VectorSpace = Pick<IndexGeneration, 'modelRev' | 'templateRev' | 'dimensions'>;

/**
 * The cache of the relay, for vectors that were computed elsewhere: what is stored here before, or in one transaction with, the row is not embedded again.
 *
 * Whether a vector really is what the model gives to the text is the caller's word.
 */
export class CachedVectors {
  /**
   * Stores vectors, scaled to length 1. A text that has a vector already keeps that one: points may have been written with it.
   *
   * @returns for each text whether the cache has this vector, or one with at least {@link SAME_VECTOR_COSINE} to it
   * @throws RangeError for a vector that {@link normalised} gives `null` for; nothing is stored then
   */
  async store(session: SqlSession, space: VectorSpace, items: readonly TextVector[]): Promise<boolean[]> {
    const units = items.map(({ vector }) => {
      const unit = normalised(vector, space.dimensions);
      if (unit === null) throw new RangeError(`A vector is no direction in ${space.dimensions} dimensions`);
      return unit;
    });
    const hashes = items.map(({ text }) => textHashOf(space.modelRev, space.templateRev, text));
    const kept = await peekVectors(session, hashes, space.dimensions);
    const missing = new Map<string, { readonly textHash: Buffer; readonly vector: Float32Array; readonly isTruncated: boolean }>();
    hashes.forEach((textHash, index) => {
      const key = textHash.toString('hex');
      if (kept.has(key)) return;
      kept.set(key, units[index]!);
      missing.set(key, { textHash, vector: units[index]!, isTruncated: false });
    });
    await storeVectors(session, [...missing.values()]);
    return hashes.map((hash, index) => cosineOf(kept.get(hash.toString('hex'))!, units[index]!) >= SAME_VECTOR_COSINE);
  }

  /** Reads the vectors of texts, in their order; `null` = none. Writes nothing at all. */
  async peek(session: SqlSession, space: VectorSpace, texts: readonly string[]): Promise<(Float32Array | null)[]> {
    const hashes = texts.map((text) => textHashOf(space.modelRev, space.templateRev, text));
    const found = await peekVectors(session, hashes, space.dimensions);
    return hashes.map((hash) => found.get(hash.toString('hex')) ?? null);
  }
}

/** The vector scaled to length 1, a copy; `null` when it has another length, a component that is no number, or no direction. */
export function normalised(vector: Float32Array, dimensions: number): Float32Array | null {
  const unit = normaliseInPlace(vector.slice());
  return findVectorDefect(unit, dimensions) === null ? unit : null;
}

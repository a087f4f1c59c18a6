import type { Schemas } from '@qdrant/js-client-rest';
import type { RecommendQuery, VectorQuery } from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';
import { toShortDecimals } from './float32-decimals.js';
import { toQdrantFilter } from './qdrant-filter.js';
import { requireUuids, VECTOR_NAME } from './qdrant-points.js';

/**
 * Translates a query by vector or by examples.
 *
 * @throws VectorStoreError `rejected` for a vector that is zero or not finite (JSON would carry null), and for examples that are none or no UUIDs
 */
export function toQueryRequest(query: VectorQuery | RecommendQuery): Schemas['QueryRequest'] {
  return {
    query: 'vector' in query ? nearestTo(query.vector) : recommendedBy(query),
    using: VECTOR_NAME,
    limit: query.limit,
    offset: query.offset,
    score_threshold: exclusiveThreshold(query.threshold),
    filter: toQdrantFilter(query.filter),
    with_payload: false,
    with_vector: false,
  };
}

function nearestTo(vector: Float32Array): number[] {
  if (!vector.every(Number.isFinite)) throw new VectorStoreError('rejected', 'The query vector is not finite');
  // Qdrant would answer with arbitrary points, all of score 0.
  if (vector.every((component) => component === 0)) throw new VectorStoreError('rejected', 'The query vector is zero: it has no direction');
  return toShortDecimals(vector);
}

function recommendedBy({ positive, negative = [] }: RecommendQuery): Schemas['RecommendQuery'] {
  if (positive.length === 0) throw new VectorStoreError('rejected', 'A recommendation needs at least one positive example');
  requireUuids([...positive, ...negative]);
  // 2 x mean(positive) - mean(negative): the one strategy that is a single vector query.
  return { recommend: { positive: [...positive], negative: [...negative], strategy: 'average_vector' } };
}

/** -2^-149. */
const LARGEST_NEGATIVE_FLOAT32 = -(2 ** -149);

const bits = new DataView(new ArrayBuffer(4));

/**
 * Returns the float32 just below the threshold: Qdrant keeps scores above the one it is given, not those equal to it.
 */
function exclusiveThreshold(threshold: number | undefined): number | undefined {
  if (threshold === undefined) return undefined;
  if (!Number.isFinite(threshold)) throw new VectorStoreError('rejected', 'The threshold is not finite');
  bits.setFloat32(0, threshold);
  const pattern = bits.getInt32(0);
  // Neighbouring floats have neighbouring bit patterns; below zero they run the other way, and zero has no smaller pattern of its own.
  if (pattern === 0 || pattern === -0x80000000) return LARGEST_NEGATIVE_FLOAT32;
  bits.setInt32(0, pattern > 0 ? pattern - 1 : pattern + 1);
  return bits.getFloat32(0);
}

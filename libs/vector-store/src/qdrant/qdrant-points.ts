import { findVectorDefect, isUuid } from '#kernel';
import type { Schemas } from '@qdrant/js-client-rest';
import type { FencedDelete, PointPayload, ScoredPoint, StoredPoint, VectorPoint } from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';

/** The one vector of a point. Named, because only named vectors can be added and dropped in place later. */
export const VECTOR_NAME = 'text';

/**
 * Checks a whole call before any of it is sent: Qdrant accepts zero vectors and cannot be asked to undo the first batch when the second one is bad.
 *
 * @returns the points with ids in lower case; of equal ids the one with the highest rev
 * @throws VectorStoreError `invalid-point`, or `dimension-mismatch` when the vectors differ in length (a length that all share is judged by the server)
 */
export function preparePoints(points: readonly VectorPoint[]): VectorPoint[] {
  const dimensions = points[0]?.vector.length ?? 0;
  const newest = new Map<string, VectorPoint>();
  for (const point of points) {
    checkIdAndRev(point.id, point.payload.rev);
    checkVector(point, dimensions);
    checkPayload(point);
    const id = point.id.toLowerCase();
    const known = newest.get(id);
    if (known === undefined || known.payload.rev < point.payload.rev) newest.set(id, { ...point, id });
  }
  return [...newest.values()];
}

/**
 * Refuses ids that a read names and that cannot be ids here: Qdrant also knows numbers as ids, the port does not.
 *
 * @throws VectorStoreError `rejected`
 */
export function requireUuids(ids: readonly string[]): void {
  const stranger = ids.find((id) => !isUuid(id));
  if (stranger !== undefined) throw new VectorStoreError('rejected', `"${stranger}" is no hyphenated UUID`);
}

/** As {@link preparePoints}, for deletes. */
export function prepareDeletes(deletes: readonly FencedDelete[]): FencedDelete[] {
  const newest = new Map<string, FencedDelete>();
  for (const { id: givenId, rev } of deletes) {
    checkIdAndRev(givenId, rev);
    const id = givenId.toLowerCase();
    if ((newest.get(id)?.rev ?? 0) < rev) newest.set(id, { id, rev });
  }
  return [...newest.values()];
}

function checkIdAndRev(id: string, rev: number): void {
  if (!isUuid(id)) throw new VectorStoreError('invalid-point', `"${id}" is no hyphenated UUID`);
  if (!Number.isSafeInteger(rev) || rev <= 0)
    throw new VectorStoreError('invalid-point', `Point ${id}: rev must be a safe integer above 0, not ${rev}`);
}

function checkVector(point: VectorPoint, dimensions: number): void {
  const defect = findVectorDefect(point.vector, dimensions);
  if (defect === null) return;
  if (defect === 'dimension') {
    throw new VectorStoreError(
      'dimension-mismatch',
      `Point ${point.id} has ${point.vector.length} dimensions, others of the call have ${dimensions}`,
    );
  }
  throw new VectorStoreError(
    'invalid-point',
    `Point ${point.id}: its vector is ${defect === 'not-finite' ? 'not finite' : 'not of norm 1'}`,
  );
}

function checkPayload(point: VectorPoint): void {
  for (const [field, value] of Object.entries(point.payload)) {
    // JSON would silently make it null.
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new VectorStoreError('invalid-point', `Point ${point.id}: "${field}" is not finite`);
  }
}

/** Fits what the server returned to the port: descending, equal scores by ascending id (the server leaves their order open), rounding errors beyond 1 cut off. */
export function toScoredPoints(points: readonly Schemas['ScoredPoint'][], threshold: number | undefined): ScoredPoint[] {
  return points
    .filter(({ score }) => threshold === undefined || Math.fround(score) >= Math.fround(threshold))
    .map(({ id, score }) => ({ id: String(id), score: Math.min(1, Math.max(-1, score)) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

export function toStoredPoint(record: Schemas['Record']): StoredPoint {
  const point = { id: String(record.id), payload: toPayload(record.payload) };
  const vector = isRecord(record.vector) ? record.vector[VECTOR_NAME] : undefined;
  return Array.isArray(vector) ? { ...point, vector: Float32Array.from(vector as number[]) } : point;
}

/** The client returns integers beyond 2^53 as bigint, which no serialiser of JSON takes. Kindred writes none; another writer may. */
function toPayload(payload: Schemas['Record']['payload']): PointPayload {
  return toPlainNumbers(payload ?? {}) as PointPayload;
}

export function toPlainNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toPlainNumbers);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toPlainNumbers(entry)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

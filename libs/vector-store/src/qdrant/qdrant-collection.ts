import type { Schemas } from '@qdrant/js-client-rest';
import type { CollectionInfo, CollectionMetadata, CollectionSpec, PayloadIndex } from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';
import type { QdrantCall } from './qdrant-call.js';
import { requireCompleted } from './require-completed.js';
import { toPlainNumbers, VECTOR_NAME } from './qdrant-points.js';
import { isCollectionInfo, isFlag, isUpdateResult } from './qdrant-replies.js';

const DISTANCE = 'Cosine';

/**
 * Fields that are read by fences and comparisons, never by searches: links in the search graph would be waste.
 * `rev` is only compared, and a lookup index over a field without repeated values costs more than it gives.
 */
const OWN_INDEXES: readonly { readonly field: string; readonly schema: Schemas['PayloadFieldSchema'] }[] = [
  { field: 'rev', schema: { type: 'integer', lookup: false, range: true, enable_hnsw: false } },
  { field: 'bucket', schema: { type: 'keyword', enable_hnsw: false } },
];

/** Reads the collection, or `null` when there is none. */
export async function readCollection(call: QdrantCall, name: string): Promise<Schemas['CollectionInfo'] | null> {
  try {
    return await call.send((api, init) => api.getCollection({ collection_name: name }, init), isCollectionInfo);
  } catch (error) {
    if (error instanceof VectorStoreError && error.kind === 'collection-missing') return null;
    throw error;
  }
}

/** Creates the collection, or completes what another process (or an interrupted attempt) has begun. Returns whether this call created it. */
export async function ensureCollection(call: QdrantCall, spec: CollectionSpec): Promise<boolean> {
  const existing = await readCollection(call, spec.name);
  const isCreated = existing === null && (await tryCreate(call, spec));
  const collection = existing ?? (await readCollection(call, spec.name));
  if (collection === null) throw new VectorStoreError('unavailable', `Collection ${spec.name} vanished while it was being created`);
  checkVectors(spec, collection);
  await createMissingIndexes(call, spec, collection);
  return isCreated;
}

export function toCollectionInfo(collection: Schemas['CollectionInfo']): CollectionInfo {
  return {
    dimensions: vectorParams(collection)?.size ?? 0,
    status: collection.status,
    pointsCount: collection.points_count ?? 0,
    indexedVectorsCount: collection.indexed_vectors_count ?? 0,
    metadata: toPlainNumbers(collection.config.metadata ?? {}) as CollectionMetadata,
  };
}

/** Returns false when another process was faster. */
async function tryCreate(call: QdrantCall, spec: CollectionSpec): Promise<boolean> {
  const metadata = Object.fromEntries(Object.entries(spec.metadata).filter(([, value]) => value !== null));
  const vectors = { [VECTOR_NAME]: { size: spec.dimensions, distance: DISTANCE } } as const;
  try {
    return await call.send(
      (api, init, timeout) => api.createCollection({ collection_name: spec.name, timeout, vectors, metadata }, init),
      isFlag,
    );
  } catch (error) {
    if (error instanceof VectorStoreError && error.kind === 'rejected' && error.message.includes('already exists!')) return false;
    throw error;
  }
}

function checkVectors(spec: CollectionSpec, collection: Schemas['CollectionInfo']): void {
  const found = vectorParams(collection);
  if (found === null) throw new VectorStoreError('dimension-mismatch', `Collection ${spec.name} has no vector named "${VECTOR_NAME}"`);
  if (found.size === spec.dimensions && found.distance === DISTANCE) return;
  const wanted = `${spec.dimensions} dimensions with ${DISTANCE}`;
  throw new VectorStoreError(
    'dimension-mismatch',
    `Collection ${spec.name} has ${found.size} dimensions with ${found.distance}, not ${wanted}`,
  );
}

/** One after the other, each awaited: filter-aware links exist only for fields that were indexed before the graph was built. */
async function createMissingIndexes(call: QdrantCall, spec: CollectionSpec, collection: Schemas['CollectionInfo']): Promise<void> {
  const own = new Set(OWN_INDEXES.map(({ field }) => field));
  const wanted = [...OWN_INDEXES, ...spec.payloadIndexes.filter(({ field }) => !own.has(field)).map(toIndex)];
  for (const { field, schema } of wanted) {
    const type = typeof schema === 'object' ? schema.type : schema;
    if (collection.payload_schema[field]?.data_type === type) continue;
    const payload = { collection_name: spec.name, field_name: field, field_schema: schema };
    requireCompleted(
      await call.send((api, init, timeout) => api.createFieldIndex({ ...payload, wait: true, timeout }, init), isUpdateResult),
      `index "${field}"`,
    );
  }
}

function toIndex({ field, type }: PayloadIndex): { field: string; schema: Schemas['PayloadFieldSchema'] } {
  return { field, schema: type };
}

function vectorParams(collection: Schemas['CollectionInfo']): { readonly size: number; readonly distance: string } | null {
  const vectors = collection.config.params.vectors as Record<string, { size: number; distance: string } | undefined> | undefined;
  return vectors?.[VECTOR_NAME] ?? null;
}

import type { DoubleCollection } from './double-collection.js';
import { asArray, isObject, type JsonObject } from './double-types.js';

/** The settings that a collection has when nobody asks for others; taken from the record. */
const DEFAULT_SETTINGS: JsonObject = {
  hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10000, max_indexing_threads: 0, on_disk: false },
  optimizer_config: {
    deleted_threshold: 0.2,
    vacuum_min_vector_number: 1000,
    default_segment_number: 2,
    max_segment_size: null,
    memmap_threshold: null,
    indexing_threshold: 10000,
    flush_interval_sec: 5,
    max_optimization_threads: null,
    prevent_unoptimized: null,
  },
  wal_config: { wal_capacity_mb: 32, wal_segments_ahead: 0, wal_retain_closed: 1 },
  quantization_config: null,
};

/** Describes a collection as `GET /collections/{name}` does. */
export function describeDoubleCollection(collection: DoubleCollection): JsonObject {
  const params = {
    vectors: collection.config.vectors,
    shard_number: 1,
    replication_factor: 1,
    write_consistency_factor: 1,
    on_disk_payload: true,
  };
  const { metadata } = collection.config;
  return {
    status: 'green',
    optimizer_status: 'ok',
    indexed_vectors_count: 0,
    points_count: collection.points.size,
    segments_count: 2,
    config: { params, ...DEFAULT_SETTINGS, ...(metadata === undefined ? {} : { metadata }) },
    payload_schema: Object.fromEntries([...collection.indexes.keys()].map((field) => [field, describeIndex(collection, field)])),
    update_queue: { length: 0 },
  };
}

function describeIndex(collection: DoubleCollection, field: string): JsonObject {
  const schema = collection.indexes.get(field)!;
  const points = [...collection.points.values()].filter(({ payload }) => asArray(payload[field]).length > 0).length;
  if (!isObject(schema)) return { data_type: schema, points };
  const params = schema['type'] === 'integer' ? { ...schema, is_principal: schema['is_principal'] ?? null } : schema;
  return { data_type: schema['type'], params, points };
}

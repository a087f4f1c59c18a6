import type { SchemaObject } from '@nestjs/swagger';

const INDICATORS: SchemaObject = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    required: ['status'],
    properties: {
      status: { type: 'string', enum: ['up', 'degraded', 'down'] },
      response_time_ms: { anyOf: [{ type: 'number' }, { type: 'null' }] },
      checked_at: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      reason: { type: 'string' },
      store_type: { type: 'string', enum: ['local', 'qdrant'] },
      fallback: {
        type: 'object',
        description: 'Beside Qdrant: whether searches are sent to it, and whether a copy in this process can answer while it is away.',
        required: ['breaker', 'copy'],
        properties: {
          breaker: { type: 'string', enum: ['closed', 'open', 'half-open'] },
          copy: { type: 'string', enum: ['ready', 'building', 'too-large', 'none'] },
        },
      },
    },
  },
};

const SERVICE_STATE: SchemaObject = { type: 'string', enum: ['healthy', 'degraded', 'unhealthy', 'not_configured'] };

const EMBEDDING_SERVICE_STATE: SchemaObject = {
  ...SERVICE_STATE,
  description:
    'The service that embeds, as its last requests ended; not_configured = the model is in this process. The one that writes answers: /api/v1/query/stats',
};

export const HEALTH_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['status', 'info', 'error', 'details', 'services'],
  properties: {
    status: { type: 'string', enum: ['ok', 'degraded', 'error', 'shutting_down'] },
    info: INDICATORS,
    error: INDICATORS,
    details: INDICATORS,
    services: {
      type: 'object',
      required: ['database', 'vector_db', 'openai_api'],
      properties: { database: SERVICE_STATE, vector_db: SERVICE_STATE, openai_api: EMBEDDING_SERVICE_STATE },
    },
  },
};

const UP = { status: 'up', response_time_ms: 0.6, checked_at: '2026-11-21T08:00:00.000Z' };
const DETAILS = { database: UP, vector_db: { ...UP, store_type: 'local' } };

export const HEALTH_EXAMPLE = {
  status: 'ok',
  info: DETAILS,
  error: {},
  details: DETAILS,
  services: { database: 'healthy', vector_db: 'healthy', openai_api: 'not_configured' },
};

const DOWN = { status: 'down', response_time_ms: null, checked_at: '2026-11-21T08:00:00.000Z', reason: 'unavailable' };

export const HEALTH_DOWN_EXAMPLE = {
  ...HEALTH_EXAMPLE,
  status: 'error',
  info: { vector_db: DETAILS.vector_db },
  error: { database: DOWN },
  details: { ...DETAILS, database: DOWN },
  services: { ...HEALTH_EXAMPLE.services, database: 'unhealthy' },
};

export const LIVE_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', enum: ['ok'] } },
};

export const READY_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['status', 'startup'],
  properties: {
    status: { type: 'string', enum: ['ok', 'error', 'shutting_down'] },
    startup: { type: 'string', description: 'What the start still waits for, or `ready`.' },
  },
};

const MILLISECONDS_OR_NULL: SchemaObject = { anyOf: [{ type: 'number' }, { type: 'null' }] };
const COUNT_OR_NULL: SchemaObject = { anyOf: [{ type: 'integer' }, { type: 'null' }] };
const TEXT_OR_NULL: SchemaObject = { anyOf: [{ type: 'string' }, { type: 'null' }] };
const ADDRESS: SchemaObject = { ...TEXT_OR_NULL, description: 'Shown with `admin:read`; null also when it is in the process' };

const COLLECTION_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['source', 'name', 'exists', 'stats'],
  properties: {
    source: { type: 'string' },
    name: { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'null = the first index is still being made' },
    exists: { type: 'boolean' },
    stats: {
      anyOf: [
        {
          type: 'object',
          required: ['total_points', 'vector_dimension', 'distance_metric'],
          properties: {
            total_points: { type: 'integer', description: 'May be approximate' },
            vector_dimension: { type: 'integer' },
            distance_metric: { type: 'string', enum: ['Cosine'] },
          },
        },
        { type: 'null' },
      ],
    },
  },
};

export const VECTOR_STORE_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['status', 'timestamp', 'store_type', 'server', 'collection', 'collections'],
  properties: {
    status: { type: 'string', enum: ['healthy', 'degraded', 'unhealthy'] },
    timestamp: { type: 'string', format: 'date-time' },
    store_type: { type: 'string', enum: ['local', 'qdrant'] },
    server: {
      type: 'object',
      required: ['host', 'port', 'response_time_ms', 'collections_count'],
      properties: { host: ADDRESS, port: COUNT_OR_NULL, response_time_ms: MILLISECONDS_OR_NULL, collections_count: COUNT_OR_NULL },
    },
    collection: { anyOf: [COLLECTION_SCHEMA, { type: 'null' }], description: 'Of the first source, projects' },
    collections: { type: 'array', items: COLLECTION_SCHEMA, description: 'Those that searches use; empty while the index does not answer' },
  },
};

const COLLECTION_EXAMPLE = {
  source: 'projects',
  name: 'kindred_projects_g1_3f9a1c',
  exists: true,
  stats: { total_points: 162, vector_dimension: 384, distance_metric: 'Cosine' },
};

export const VECTOR_STORE_EXAMPLE = {
  status: 'healthy',
  timestamp: '2026-11-21T08:00:01.000Z',
  store_type: 'local',
  server: { host: null, port: null, response_time_ms: 0.4, collections_count: 2 },
  collection: COLLECTION_EXAMPLE,
  collections: [COLLECTION_EXAMPLE],
};

export const VECTOR_STORE_DOWN_EXAMPLE = {
  ...VECTOR_STORE_EXAMPLE,
  status: 'unhealthy',
  store_type: 'qdrant',
  server: { host: null, port: null, response_time_ms: 1000, collections_count: null },
  collection: null,
  collections: [],
};

export const DETAILED_SCHEMA: SchemaObject = {
  type: 'object',
  required: [
    ...HEALTH_SCHEMA.required!,
    'timestamp',
    'startup',
    'uptime_seconds',
    'relay',
    'event_loop',
    'memory_mib',
    'versions',
    'vector_store',
  ],
  properties: {
    ...HEALTH_SCHEMA.properties,
    timestamp: { type: 'string', format: 'date-time' },
    startup: READY_SCHEMA.properties!.startup!,
    uptime_seconds: { type: 'integer' },
    relay: {
      type: 'object',
      required: ['state', 'pending', 'seconds_without_progress'],
      properties: {
        state: {
          type: 'string',
          enum: ['elsewhere', 'idle', 'working', 'stalled'],
          description: 'stalled: rows wait, and for a minute nothing has come of any; elsewhere: another process carries the changes',
        },
        pending: COUNT_OR_NULL,
        seconds_without_progress: { type: 'integer' },
      },
    },
    event_loop: {
      type: 'object',
      description: 'How late it was in the last 30 to 60 seconds',
      required: ['is_stalled', 'delay_p50_ms', 'delay_p99_ms', 'delay_max_ms'],
      properties: {
        is_stalled: { type: 'boolean' },
        delay_p50_ms: { type: 'number' },
        delay_p99_ms: { type: 'number' },
        delay_max_ms: { type: 'number' },
      },
    },
    memory_mib: { type: 'integer', description: 'Resident memory of the process' },
    versions: {
      description: 'Shown with `admin:read`',
      anyOf: [
        { type: 'object', required: ['node', 'vector_store'], properties: { node: { type: 'string' }, vector_store: TEXT_OR_NULL } },
        { type: 'null' },
      ],
    },
    vector_store: VECTOR_STORE_SCHEMA,
  },
};

export const DETAILED_EXAMPLE = {
  ...HEALTH_EXAMPLE,
  timestamp: '2026-11-21T08:00:01.000Z',
  startup: 'ready',
  uptime_seconds: 3600,
  relay: { state: 'idle', pending: 0, seconds_without_progress: 0 },
  event_loop: { is_stalled: false, delay_p50_ms: 0.1, delay_p99_ms: 2.4, delay_max_ms: 18.3 },
  memory_mib: 310,
  versions: null,
  vector_store: VECTOR_STORE_EXAMPLE,
};

export const DETAILED_DOWN_EXAMPLE = { ...DETAILED_EXAMPLE, ...HEALTH_DOWN_EXAMPLE };

export const SERVICE_STATUS_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['qdrant_available', 'message'],
  properties: {
    qdrant_available: { type: 'boolean', description: 'Whether the vector index answers, whichever it is' },
    message: { type: 'string', enum: ['Full service', 'Limited mode'] },
  },
};

export const SERVICE_STATUS_EXAMPLE = { qdrant_available: true, message: 'Full service' };

const CONNECTION: SchemaObject = {
  type: 'object',
  required: ['connected', 'url'],
  properties: { connected: { type: 'boolean' }, url: ADDRESS, store_type: { type: 'string', enum: ['local', 'qdrant'] } },
};

export const DIAGNOSTICS_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['services'],
  properties: {
    services: {
      type: 'object',
      required: ['database', 'qdrant', 'openai'],
      properties: { database: CONNECTION, qdrant: CONNECTION, openai: CONNECTION },
    },
  },
};

export const DIAGNOSTICS_EXAMPLE = {
  services: {
    database: { connected: true, url: null },
    qdrant: { connected: true, url: null, store_type: 'local' },
    openai: { connected: false, url: null },
  },
};

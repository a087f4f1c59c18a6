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

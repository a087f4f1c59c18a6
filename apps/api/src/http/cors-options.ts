import type { FastifyCorsOptions } from '@fastify/cors';

/** What pages of other origins may send and read besides what every page may. */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'X-API-Key',
  'X-Kindred-Token',
  'X-Request-Id',
];
const REPLY_HEADERS = [
  'ETag',
  'Idempotency-Replayed',
  'Location',
  'RateLimit',
  'RateLimit-Limit',
  'RateLimit-Policy',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'Retry-After',
  'X-Kindred-Token',
  'X-Request-Id',
];
/** Browsers ask again after two hours anyway. */
const PREFLIGHT_SECONDS = 7_200;

/** Lets pages of exactly these origins call the API. Never with credentials: keys travel in headers, so no cookie can be abused. */
export function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  return {
    origin: [...origins],
    credentials: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: REPLY_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // It adds its headers, and our own answer to OPTIONS follows: 404 and 405 stay what they are.
    preflightContinue: true,
    strictPreflight: false,
  };
}

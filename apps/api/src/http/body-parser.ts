import { DomainError } from '#kernel';
import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { parseJsonBody } from './json-body.js';

/** Methods whose body may be missing although a content type is named: clients name one out of habit. */
const BODYLESS_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS']);
const CHARSET_PATTERN = /;\s*charset\s*=\s*"?([^\s";]+)/i;

/** Types of files. Only routes that say `streamsBody` take them, and read them as they arrive. */
export const FILE_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/octet-stream',
  'text/csv',
  'text/markdown',
  'text/plain',
];

/** Fastify's parser for files: hands the stream on unread, with no limit but that of the route. */
export function passFile(request: FastifyRequest, payload: Readable, done: (error: Error | null, value?: unknown) => void): void {
  if (streamsBody(request)) done(null, payload);
  else done(new DomainError('request.unsupported-media-type'));
}

/** Whether the route reads its body itself. */
export function streamsBody(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { readonly streamsBody?: boolean }).streamsBody === true;
}

/** Fastify's parser for JSON bodies; refuses what only looks like one. */
export function parseBody(request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void): void {
  try {
    done(null, read(request, body));
  } catch (error) {
    done(error as Error);
  }
}

function read(request: FastifyRequest, body: Buffer): unknown {
  const contentType = request.headers['content-type'] ?? '';
  const charset = CHARSET_PATTERN.exec(contentType)?.[1]?.toLowerCase();
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw new DomainError('request.unsupported-media-type', { detail: 'JSON is sent as UTF-8' });
  }
  if (contentType.toLowerCase().includes('merge-patch') && request.method !== 'PATCH')
    throw new DomainError('request.unsupported-media-type');
  if (body.length === 0) {
    if (BODYLESS_METHODS.has(request.method)) return undefined;
    throw new DomainError('request.malformed-json', { detail: 'The body is empty' });
  }
  return parseJsonBody(body);
}

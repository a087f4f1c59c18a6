import { canonicalJson, sha256OfParts, type JsonValue } from '#kernel';
import type { FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

/**
 * SHA-256 of what is asked: path parameters, query and body, whatever the order of their names.
 *
 * Of a file that comes as a stream its type alone: the bytes are not there yet, see {@link digestOf}.
 */
export function fingerprintOf(request: FastifyRequest): Buffer {
  const body = request.body instanceof Readable ? `file:${typeOf(request)}` : canonicalJson((request.body ?? null) as JsonValue);
  return sha256OfParts(canonicalJson(plain(request.params)), canonicalJson(plain(request.query)), body);
}

/** SHA-256 of a stream, which is read to its end. */
export async function digestOf(file: Readable): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const chunk of file as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest();
}

function typeOf(request: FastifyRequest): string {
  return (request.headers['content-type'] ?? '').toLowerCase().replaceAll(' ', '');
}

function plain(value: unknown): JsonValue {
  return { ...(value as Record<string, JsonValue>) };
}

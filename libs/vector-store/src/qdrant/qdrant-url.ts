import { withoutTrailingSlashes } from '#kernel';
import { VectorStoreError } from '../vector-store-error.js';

/** Where a server is, in the terms of the client library. */
export interface QdrantAddress {
  /** Scheme, host and port as given, without path. */
  readonly url: string;
  /** `null` = the scheme's default. */
  readonly port: number | null;
  /** Begins with a slash, or is undefined. */
  readonly prefix: string | undefined;
}

/** Qdrant's own default, used when an http address names no port. */
const QDRANT_HTTP_PORT = 6333;

/**
 * Reads an address the way a reader would: the client library alone drops the path and turns `https://host` into port 6333.
 *
 * @throws VectorStoreError `rejected` when it is no http(s) address, or carries credentials or a query
 */
export function parseQdrantUrl(text: string): QdrantAddress {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw new VectorStoreError('rejected', 'The address of Qdrant must begin with http:// or https://');
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw new VectorStoreError(
      'rejected',
      'The address of Qdrant must not carry credentials, a query or a fragment; the API key has its own setting',
    );
  }
  const prefix = withoutTrailingSlashes(parsed.pathname);
  return { url: `${parsed.protocol}//${parsed.host}`, port: portOf(text, parsed), prefix: prefix === '' ? undefined : prefix };
}

function portOf(text: string, parsed: URL): number | null {
  if (parsed.port !== '') return Number(parsed.port);
  // `URL` hides the scheme's default port even when it was written down.
  const isWritten = /^https?:\/\/[^/]*:\d+(\/|$)/i.test(text.trim());
  return parsed.protocol === 'https:' || isWritten ? null : QDRANT_HTTP_PORT;
}

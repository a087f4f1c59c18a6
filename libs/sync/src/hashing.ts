import { canonicalJson, sha256OfParts } from '#kernel';
import type { PayloadValue } from '#vector-store';

/**
 * Names a text in one vector space: 32 bytes of SHA-256 over model, template and text. Equal hashes mean equal vectors, so it is the key of the
 * embedding cache.
 */
export function textHashOf(modelRev: string, templateRev: string, text: string): Buffer {
  return sha256OfParts(modelRev, templateRev, text);
}

/** Names what filters read: 32 bytes of SHA-256 over the canonical JSON of the fields, so their order does not matter. */
export function payloadHashOf(payload: Readonly<Record<string, PayloadValue>>): Buffer {
  return sha256OfParts(canonicalJson(payload));
}

/** The last byte of the id, two hex digits; the first bytes of a version 7 UUID are a clock and would fill one bucket after the other. */
export function bucketOf(id: string): string {
  return id.slice(-2).toLowerCase();
}

import { canonicalJson, sha256OfParts } from '#kernel';
import type { EmbedderDescriptor } from './embedder.js';

/** Names the vector space of a descriptor: 16 hex digits of the SHA-256 of its canonical JSON. Vectors of different `modelRev` must never meet. */
export function modelRevOf(descriptor: EmbedderDescriptor): string {
  return sha256OfParts(canonicalJson({ ...descriptor }))
    .toString('hex')
    .slice(0, 16);
}

/** The short name that people read, for example `all-MiniLM-L6-v2:q8`. */
export function modelLabelOf(descriptor: EmbedderDescriptor): string {
  return `${descriptor.model}:${descriptor.dtype}`;
}

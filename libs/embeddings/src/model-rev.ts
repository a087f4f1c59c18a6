import { canonicalJson, sha256OfParts } from '#kernel';
import type { EmbedderDescriptor } from './embedder.js';

/** Names the vector space of a descriptor: 16 hex digits of the SHA-256 of its canonical JSON. Vectors of different `modelRev` must never meet. */
export function modelRevOf(descriptor: EmbedderDescriptor): string {
  return sha256OfParts(canonicalJson({ ...descriptor }))
    .toString('hex')
    .slice(0, 16);
}

/** The short name that people read: `all-MiniLM-L6-v2:q8`, or `text-embedding-3-large` of a service, whose precision is its own affair. */
export function modelLabelOf({ provider, model, dtype }: EmbedderDescriptor): string {
  return provider === 'local' ? `${model}:${dtype}` : model;
}

import type { VectorPoint } from '#vector-store';
import { bucketOf } from '../hashing.js';
import type { UpsertItem } from './work-item.js';

export type PointContent = Pick<UpsertItem, 'rev' | 'document' | 'textHashHex' | 'payloadHash'> & {
  readonly entry: { readonly sourceId: string };
};

/** The whole point of a row: what filters read, and what comparisons need. */
export function toPoint(item: PointContent, vector: Float32Array, modelRev: string): VectorPoint {
  const payload = {
    ...item.document.payload,
    rev: item.rev,
    text_hash: item.textHashHex,
    payload_hash: item.payloadHash.toString('hex'),
    model_rev: modelRev,
    bucket: bucketOf(item.entry.sourceId),
  };
  return { id: item.entry.sourceId, vector, payload };
}

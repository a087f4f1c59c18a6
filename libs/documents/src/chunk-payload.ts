import type { PayloadIndex, PayloadValue } from '#vector-store';
import type { MetadataKeys } from './collection.js';
import type { Document } from './document.js';

/** Fields of the payload that every chunk has. */
export const COLLECTION_FIELD = 'collection';
export const KIND_FIELD = 'kind';

/** Keys are the collection's own, so their fields cannot be known to the index in advance: a store finds them within the collection, whose field it knows. */
export const CHUNK_PAYLOAD_INDEXES: readonly PayloadIndex[] = [
  { field: COLLECTION_FIELD, type: 'keyword' },
  { field: KIND_FIELD, type: 'keyword' },
];

/** The field of a declared key: with a prefix, so that no key can be one of the engine's own fields. */
export function metadataField(key: string): string {
  return `m_${key}`;
}

/** What filters read of a document's chunks, and only that. */
export function chunkPayloadOf(
  { collection_id, kind, metadata }: Pick<Document, 'collection_id' | 'kind' | 'metadata'>,
  keys: MetadataKeys,
): Record<string, PayloadValue> {
  const declared = Object.entries(keys).map(([key, type]): [string, PayloadValue] => {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : null;
    const isOfType = type === 'keyword' ? typeof value === 'string' : typeof value === type;
    return [metadataField(key), isOfType ? (value as PayloadValue) : null];
  });
  return { [COLLECTION_FIELD]: collection_id, [KIND_FIELD]: kind, ...Object.fromEntries(declared) };
}

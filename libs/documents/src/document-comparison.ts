import { canonicalJson, type JsonValue } from '#kernel';
import type { DocumentFields } from './document.js';

type Comparable = DocumentFields & { readonly collection_id: string };

/** What a document has but its collection and what PostgreSQL decides. */
export const DOCUMENT_FIELDS = [
  'title',
  'content',
  'kind',
  'external_id',
  'source_uri',
  'language',
  'metadata',
] as const satisfies readonly (keyof DocumentFields)[];

/** What chunks are made from; the trigger that keeps versions knows the same ones. */
const CHUNKED_FIELDS = [
  'collection_id',
  'title',
  'content',
  'kind',
  'language',
  'metadata',
] as const satisfies readonly (keyof Comparable)[];

/** Whether nothing that a client writes differs; the order of keys in metadata is no difference. */
export function isSameDocument(one: DocumentFields, other: DocumentFields): boolean {
  return DOCUMENT_FIELDS.every((name) => isSame(one[name], other[name]));
}

/** Whether both have the same chunks, settings of the collection aside. */
export function hasSameChunks(one: Comparable, other: Comparable): boolean {
  return CHUNKED_FIELDS.every((name) => isSame(one[name], other[name]));
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || canonicalJson(one as JsonValue) === canonicalJson(other as JsonValue);
}

import type { JsonValue } from '#kernel';
import { findTextDefect, languageTag, storableText } from '#rules';
import { z } from 'zod';
import type { DocumentMetadata } from '../document.js';

export const COLLECTION_NAME_MAX_LENGTH = 64;
const TITLE_MAX_LENGTH = 500;
/** UTF-16 code units: with three bytes each, a document still fits the limit of a request body. */
export const CONTENT_MAX_LENGTH = 300_000;
export const KIND_MAX_LENGTH = 100;
export const EXTERNAL_ID_MAX_LENGTH = 200;
const URI_MAX_LENGTH = 2_000;
/** Serialised; metadata are for filters and display, not for content. */
const METADATA_MAX_LENGTH = 16_384;
const METADATA_DEPTH = 8;

/** The name or the id of a collection. */
export const collectionReference = storableText(COLLECTION_NAME_MAX_LENGTH).describe('Name or id of a collection');

/** Any JSON object that PostgreSQL can store as jsonb. */
const metadata = z
  .unknown()
  .superRefine((value, context) => {
    const defect = findMetadataDefect(value);
    if (defect !== null) context.addIssue({ code: 'custom', params: { code: defect.code }, message: defect.detail });
  })
  .transform((value) => value as DocumentMetadata)
  .meta({ openapi: { type: 'object', additionalProperties: true } });

/** The rule of each field; what may be absent or null differs between the requests. */
export const DOCUMENT_RULES = {
  title: storableText(TITLE_MAX_LENGTH).describe('Title, or the question of a FAQ; searched with the content'),
  content: storableText(CONTENT_MAX_LENGTH).describe('Text or Markdown; headings and paragraphs decide where chunks begin'),
  kind: storableText(KIND_MAX_LENGTH).nullable().describe('For example faq'),
  external_id: storableText(EXTERNAL_ID_MAX_LENGTH)
    .nullable()
    .describe('Id of the document in another system; unique within the collection'),
  source_uri: storableText(URI_MAX_LENGTH).nullable().describe('Where the document comes from; stored, never opened'),
  language: languageTag.nullable().describe('Language, for example de, en or de-AT; null = that of the collection, else detected'),
  metadata: metadata.describe('Any JSON object; the keys that the collection declares can be filtered by'),
};

interface Defect {
  readonly code: string;
  readonly detail: string;
}

function findMetadataDefect(value: unknown): Defect | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { code: 'invalid-type', detail: 'must be an object' };
  if (!isShallow(value as JsonValue, METADATA_DEPTH))
    return { code: 'too-deep', detail: `must not be nested deeper than ${METADATA_DEPTH}` };
  const text = JSON.stringify(value);
  if (text.length > METADATA_MAX_LENGTH) return { code: 'too-long', detail: `must have at most ${METADATA_MAX_LENGTH} characters as JSON` };
  return isStorable(value as JsonValue) ? null : { code: 'not-storable', detail: 'must not contain NUL or half of a surrogate pair' };
}

function isShallow(value: JsonValue, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((child: JsonValue) => isShallow(child, depth - 1));
}

function isStorable(value: JsonValue): boolean {
  if (typeof value === 'string') return findTextDefect(value) === null;
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, child]: [string, JsonValue]) => findTextDefect(key) === null && isStorable(child));
}

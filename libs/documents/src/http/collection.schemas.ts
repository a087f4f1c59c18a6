import { isUuid } from '#kernel';
import { languageTag, storableText } from '#rules';
import { z } from 'zod';
import type { CollectionFields, CollectionPatch } from '../collection.js';
import { COLLECTION_EXAMPLE } from './document.examples.js';
import { COLLECTION_NAME_MAX_LENGTH } from './document.rules.js';

const DESCRIPTION_MAX_LENGTH = 2_000;
/** As many as people would ever filter by; each is a field of every point. */
const METADATA_KEYS_MAXIMUM = 16;
const CHUNK_TOKENS_DEFAULT = 200;
const OVERLAP_TOKENS_DEFAULT = 24;
const OVERLAP_SHARE = 0.5;

/** Words that join filters. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(['and', 'or', 'not']);

const name = storableText(COLLECTION_NAME_MAX_LENGTH)
  .refine((text) => !isUuid(text), {
    message: 'must not look like an id: names and ids are given in the same places',
    params: { code: 'is-an-id' },
  })
  .describe('Unique; may be used wherever a collection is named');

const metadataKeys = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, 'must be a letter and then letters, digits or _')
      .refine((key) => !RESERVED_KEYS.has(key), { message: 'is a word that joins filters', params: { code: 'reserved' } }),
    z.enum(['keyword', 'number', 'boolean']),
  )
  .refine((keys) => Object.keys(keys).length <= METADATA_KEYS_MAXIMUM, {
    message: `must have at most ${METADATA_KEYS_MAXIMUM} keys`,
    params: { code: 'too-many' },
  })
  .describe('Keys of metadata that filters may name, with their types');

const RULES = {
  name,
  description: storableText(DESCRIPTION_MAX_LENGTH).nullable(),
  language: languageTag.nullable().describe('Language of documents that name none; null = it is detected'),
  chunk_tokens: z
    .number()
    .int()
    .min(32)
    .max(8_192)
    .describe('Longest chunk, tokens of the model with title and headings; never more than the model reads'),
  chunk_overlap_tokens: z
    .number()
    .int()
    .min(0)
    .max(4_096)
    .describe('Where a paragraph is longer than a chunk, so many tokens are repeated; at most half of chunk_tokens'),
  metadata_keys: metadataKeys,
};

/** Checked on the whole row; a patch that names only one of the two meets the same rule in the database. */
const hasRoom = ({
  chunk_tokens,
  chunk_overlap_tokens,
}: {
  chunk_tokens?: number | undefined;
  chunk_overlap_tokens?: number | undefined;
}) => chunk_tokens === undefined || chunk_overlap_tokens === undefined || chunk_overlap_tokens <= chunk_tokens * OVERLAP_SHARE;
const OVERLAP_RULE = { path: ['chunk_overlap_tokens'], message: 'must be at most half of chunk_tokens', params: { code: 'too-big' } };

/** Body of POST. */
export const collectionBodySchema = z
  .strictObject({
    name: RULES.name,
    description: RULES.description.default(null),
    language: RULES.language.default(null),
    chunk_tokens: RULES.chunk_tokens.default(CHUNK_TOKENS_DEFAULT),
    chunk_overlap_tokens: RULES.chunk_overlap_tokens.default(OVERLAP_TOKENS_DEFAULT),
    metadata_keys: RULES.metadata_keys.default({}),
  })
  .refine(hasRoom, OVERLAP_RULE)
  .meta({ id: 'CollectionBody' }) satisfies z.ZodType<CollectionFields>;

/** Body of PATCH: a merge patch (RFC 7396); `metadata_keys` is replaced as a whole. */
export const collectionPatchSchema = z
  .strictObject(RULES)
  .partial()
  .refine(hasRoom, OVERLAP_RULE)
  .meta({ id: 'CollectionPatch' }) satisfies z.ZodType<CollectionPatch>;

export const collectionSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    name: z.string(),
    description: z.string().nullable(),
    language: z.string().nullable(),
    chunk_tokens: z.number().int(),
    chunk_overlap_tokens: z.number().int(),
    metadata_keys: z.record(z.string(), z.string()),
    version: z.number().int(),
    created_at: z.string().meta({ format: 'date-time' }),
    updated_at: z.string().meta({ format: 'date-time' }),
  })
  .meta({ id: 'Collection', example: COLLECTION_EXAMPLE });

export const collectionListSchema = z.strictObject({ items: z.array(collectionSchema) }).meta({ id: 'CollectionList' });

import { queryInteger, storableText, uuidText, CURSOR_MAX_LENGTH, languageTag } from '#rules';
import { z } from 'zod';
import type { DocumentInput } from '../documents.service.js';
import type { DocumentPatch } from '../document.js';
import { DOCUMENT_SORT_COLUMNS, type DocumentSortColumn } from '../document-list.js';
import { collectionReference, DOCUMENT_RULES, EXTERNAL_ID_MAX_LENGTH, KIND_MAX_LENGTH } from './document.rules.js';
import { DOCUMENT_EXAMPLE } from './document.examples.js';

const BATCH_MAXIMUM = 100;
const DELETE_MAXIMUM = 1_000;
const LIMIT_MAXIMUM = 100;
const LIMIT_DEFAULT = 20;
export const DEFAULT_SORT = '-created_at';
const SORT_COLUMNS = Object.keys(DOCUMENT_SORT_COLUMNS) as DocumentSortColumn[];
const SORTS = SORT_COLUMNS.flatMap((column) => [column, `-${column}` as const]);

/** Body of POST and PUT: the whole document. What is absent is null, or empty. */
export const documentBodySchema = z
  .strictObject({
    collection: collectionReference,
    title: DOCUMENT_RULES.title,
    content: DOCUMENT_RULES.content,
    kind: DOCUMENT_RULES.kind.default(null),
    external_id: DOCUMENT_RULES.external_id.default(null),
    source_uri: DOCUMENT_RULES.source_uri.default(null),
    language: DOCUMENT_RULES.language.default(null),
    metadata: DOCUMENT_RULES.metadata.default({}),
  })
  .meta({ id: 'DocumentBody' }) satisfies z.ZodType<DocumentInput>;
export type DocumentBody = z.output<typeof documentBodySchema>;

/** Body of PATCH: a merge patch (RFC 7396) of the fields; `metadata` is replaced as a whole. */
export const documentPatchSchema = z
  .strictObject({ collection: collectionReference, ...DOCUMENT_RULES })
  .partial()
  .meta({ id: 'DocumentPatch' }) satisfies z.ZodType<DocumentPatch>;
export type DocumentPatchBody = z.output<typeof documentPatchSchema>;

export const documentBatchSchema = z
  .strictObject({ documents: z.array(documentBodySchema).min(1).max(BATCH_MAXIMUM) })
  .meta({ id: 'DocumentBatch' });
export type DocumentBatch = z.output<typeof documentBatchSchema>;

export const deleteDocumentsSchema = z.strictObject({ ids: z.array(uuidText).min(1).max(DELETE_MAXIMUM) }).meta({ id: 'DeleteDocuments' });
export type DeleteDocuments = z.output<typeof deleteDocumentsSchema>;

/** Query of the list. */
export const documentListQuerySchema = z.strictObject({
  limit: queryInteger({ minimum: 1, maximum: LIMIT_MAXIMUM, default: LIMIT_DEFAULT, description: 'Documents per page' }).optional(),
  cursor: z.string().min(1).max(CURSOR_MAX_LENGTH).describe('next_cursor of the page before; bound to sort and filters').optional(),
  sort: z.enum(SORTS).describe(`- = descending; default ${DEFAULT_SORT}`).optional(),
  collection: collectionReference.optional(),
  kind: storableText(KIND_MAX_LENGTH).describe('Only documents of this kind').optional(),
  language: languageTag.optional(),
  external_id: storableText(EXTERNAL_ID_MAX_LENGTH).describe('Only documents with this external id').optional(),
});
export type DocumentListParameters = z.output<typeof documentListQuerySchema>;

/** Turns the parameters into the query of the service. */
export function documentListQueryOf(parameters: DocumentListParameters) {
  const sort = parameters.sort ?? DEFAULT_SORT;
  return {
    limit: parameters.limit ?? LIMIT_DEFAULT,
    cursor: parameters.cursor ?? null,
    sort: { column: (sort.startsWith('-') ? sort.slice(1) : sort) as DocumentSortColumn, isDescending: sort.startsWith('-') },
    filter: {
      collection: parameters.collection ?? null,
      kind: parameters.kind ?? null,
      language: parameters.language ?? null,
      externalId: parameters.external_id ?? null,
    },
  };
}

const timestamp = z.string().meta({ format: 'date-time' });

/** A document in a reply. */
export const documentSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    collection_id: z.string().meta({ format: 'uuid' }),
    collection: z.string().describe('Name of the collection'),
    title: z.string(),
    content: z.string(),
    kind: z.string().nullable(),
    external_id: z.string().nullable(),
    source_uri: z.string().nullable(),
    language: z.string().nullable(),
    metadata: z.record(z.string(), z.unknown()),
    version: z.number().int().describe('Grows by one with every update; the ETag is "v<version>"'),
    chunked_version: z
      .number()
      .int()
      .nullable()
      .describe(
        'The version that the chunks were made from; an older one = searches find the document when they are made; null = they are being made, and any that are there still hold',
      ),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Document', example: DOCUMENT_EXAMPLE });

const state = z.enum(['pending', 'synced', 'dead']);

/** Reply of a write. */
export const writtenDocumentSchema = z
  .strictObject({ ...documentSchema.shape, index_state: state.describe('How far the change had come when the reply was sent') })
  .meta({ id: 'WrittenDocument' });

export const documentPageSchema = z
  .strictObject({
    items: z.array(documentSchema),
    next_cursor: z.string().nullable().describe('Pass as cursor for the next page; null on the last one'),
  })
  .meta({ id: 'DocumentPage' });

const problem = z.strictObject({ pointer: z.string(), code: z.string(), detail: z.string() });

export const documentBatchReplySchema = z
  .strictObject({
    results: z
      .array(
        z.strictObject({
          index: z.number().int().describe('Place in the batch, from 0'),
          status: z.enum(['created', 'updated', 'unchanged', 'failed']),
          id: z.string().nullable().meta({ format: 'uuid' }),
          error: z.strictObject({ code: z.string(), errors: z.array(problem) }).nullable(),
        }),
      )
      .describe('In the order of the documents'),
    created: z.number().int(),
    updated: z.number().int(),
    unchanged: z.number().int(),
    failed: z.number().int(),
  })
  .meta({ id: 'DocumentBatchReply' });
export type DocumentBatchReply = z.output<typeof documentBatchReplySchema>;

export const deletedDocumentsSchema = z
  .strictObject({ deleted: z.number().int(), not_found: z.array(z.string()).describe('Ids that were not there') })
  .meta({ id: 'DeletedDocuments' });

export const documentIndexStatusSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    state,
    row_version: z.number().int(),
    chunked_version: z.number().int().nullable(),
    chunks: z
      .strictObject({ total: z.number().int(), synced: z.number().int(), pending: z.number().int(), dead: z.number().int() })
      .nullable()
      .describe('null = the chunks of this version are being made'),
    chunking_error: z
      .string()
      .nullable()
      .describe('Why they could not be made; it is tried again every five minutes, and when the document changes'),
  })
  .meta({ id: 'DocumentIndexStatus' });

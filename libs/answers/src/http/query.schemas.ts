import { collectionReference, documentSchema, type MetadataFilter } from '#documents';
import { storableText } from '#rules';
import { freshnessFields, hitFields, modeField, thresholdField } from '#search';
import { z } from 'zod';
import { FALLBACKS } from '../answer.js';
import { parseMetadataFilter } from './metadata-filter.parser.js';

const QUERY_MAX_LENGTH = 8_000;
const TOP_K_MAXIMUM = 100;
const TOP_K_DEFAULT = 5;
const KIND_MAX_LENGTH = 100;
const CHUNKS_PER_DOCUMENT_MAXIMUM = 100;
const CHUNKS_PER_DOCUMENT_DEFAULT = 3;

const FILTERS_DESCRIPTION =
  'All entries hold. A declared key of metadata has a value, a list of values (any of them) or bounds (gt, gte, lt, lte): {"topic": ["stairs", "floors"], "year": {"gte": 2020}}. and, or: a list of such objects; not: one';

const filters = z
  .unknown()
  .transform((value, context): MetadataFilter | null => {
    const parsed = parseMetadataFilter(value);
    if ('filter' in parsed) return parsed.filter;
    const { path, code, detail } = parsed.problem;
    context.addIssue({ code: 'custom', path: [...path], params: { code }, message: detail });
    return null;
  })
  .meta({ openapi: { type: 'object', additionalProperties: true, description: FILTERS_DESCRIPTION } });

/** Body of a query. */
export const queryRequestSchema = z
  .strictObject({
    query: storableText(QUERY_MAX_LENGTH).describe('A question, or any text, German or English'),
    top_k: z.number().int().min(1).max(TOP_K_MAXIMUM).default(TOP_K_DEFAULT).describe('Number of chunks'),
    collection: collectionReference.optional(),
    kind: storableText(KIND_MAX_LENGTH).describe('Only documents of this kind').optional(),
    filters: filters.optional(),
    threshold: thresholdField,
    mode: modeField('hybrid'),
    chunks_per_document: z
      .number()
      .int()
      .min(1)
      .max(CHUNKS_PER_DOCUMENT_MAXIMUM)
      .default(CHUNKS_PER_DOCUMENT_DEFAULT)
      .describe('Most chunks of one document'),
    answer: z.boolean().default(false).describe('Also answer in words, with citations'),
  })
  .meta({ id: 'QueryRequest' });
export type QueryBody = z.output<typeof queryRequestSchema>;

export const citationSchema = z
  .strictObject({
    number: z.number().int().describe('As it stands in the text: [1]'),
    document_id: z.string().meta({ format: 'uuid' }),
    title: z.string(),
    external_id: z.string().nullable(),
    chunk_id: z.string().meta({ format: 'uuid' }),
    start: z.number().int().describe('Where the chunk begins in the content, UTF-16 code units'),
    end: z.number().int(),
  })
  .meta({ id: 'Citation' });

export const answerSchema = z
  .strictObject({
    text: z.string(),
    mode: z
      .enum(['generated', 'extractive'])
      .describe(
        'extractive: sentences of the documents as they are; generated: written by a model, with citations, or, without any, that the documents say nothing about it',
      ),
    citations: z.array(citationSchema),
    model: z.string().optional().describe('Of a generated answer'),
    fallback: z
      .enum(FALLBACKS)
      .optional()
      .describe(
        'Why the configured model has not written it. provider_unavailable: it did not answer in time, or at all; not_cited: it cited none of the passages. Absent where no model is configured',
      ),
  })
  .meta({ id: 'Answer' });
export type AnswerReply = z.output<typeof answerSchema>;

export const foundDocumentSchema = documentSchema.omit({ content: true, chunked_version: true }).meta({ id: 'FoundDocument' });

export const queryReplySchema = z
  .strictObject({
    results: z.array(
      z.strictObject({
        document: foundDocumentSchema,
        chunk: z.strictObject({
          id: z.string().meta({ format: 'uuid' }),
          ordinal: z.number().int().describe('From 0, through the document'),
          start: z.number().int().describe('UTF-16 code units of the content'),
          end: z.number().int(),
          context: z.string().describe('Title and headings above'),
          text: z.string(),
        }),
        ...hitFields,
        snippet: z.string().describe('Part of the text; its best sentence stands between two **'),
      }),
    ),
    total: z.number().int().describe('Number of results'),
    truncated: z.boolean().describe('Whether the query was longer than the model reads, so that its end did not count'),
    answer: answerSchema.optional().describe('Only when asked for, and not among events: there it is one of its own'),
    query_time_ms: z.number(),
    ...freshnessFields,
  })
  .meta({ id: 'QueryReply' });
export type QueryReply = z.output<typeof queryReplySchema>;

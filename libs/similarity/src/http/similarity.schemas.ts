import { projectSchema } from '#projects';
import { queryDecimal, queryInteger, storableText } from '#rules';
import {
  consistencyBodyFields,
  consistencyFields,
  consistencyQueryFields,
  freshnessFields,
  hitFields,
  indexFreshnessFields,
  modeField,
  thresholdField,
} from '#search';
import { z } from 'zod';
import { filtersSchema } from './filters.schema.js';

const QUERY_MAX_LENGTH = 8_000;
const QUERIES_MAXIMUM = 50;
const TOP_K_MAXIMUM = 100;
export const TOP_K_DEFAULT = 5;
/** Chosen by eval (ADR 0013). */
const MODE_DEFAULT = 'hybrid';

const queryText = storableText(QUERY_MAX_LENGTH);

const options = {
  top_k: z.number().int().min(1).max(TOP_K_MAXIMUM).default(TOP_K_DEFAULT),
  threshold: thresholdField,
  filters: filtersSchema.optional(),
  mode: modeField(MODE_DEFAULT),
  ...consistencyBodyFields,
};

export const findSimilarSchema = z
  .strictObject({ query: queryText.describe('Any description of a job, German or English'), ...options })
  .meta({ id: 'FindSimilarRequest' });
export type FindSimilarRequest = z.output<typeof findSimilarSchema>;

export const batchSimilarSchema = z
  .strictObject({ queries: z.array(queryText).min(1).max(QUERIES_MAXIMUM), ...options })
  .meta({ id: 'BatchSimilarRequest' });
export type BatchSimilarRequest = z.output<typeof batchSimilarSchema>;

/** Query of GET /projects/:id/similar. */
export const similarQuerySchema = z.strictObject({
  top_k: queryInteger({ minimum: 1, maximum: TOP_K_MAXIMUM, default: TOP_K_DEFAULT, description: 'Number of results' }).optional(),
  threshold: queryDecimal({ minimum: -1, maximum: 1, description: 'Only results at least this similar (cosine)' }).optional(),
  ...consistencyQueryFields,
});
export type SimilarParameters = z.output<typeof similarQuerySchema>;

const result = {
  results: z.array(z.strictObject({ project: projectSchema, ...hitFields })),
  total: z.number().int().describe('Number of results'),
  truncated: z.boolean().describe('Whether the text was longer than the model reads, so that its end did not count'),
};

export const searchReplySchema = z
  .strictObject({ ...result, search_time_ms: z.number(), ...freshnessFields, ...consistencyFields })
  .meta({ id: 'SearchReply' });
export type SearchReply = z.output<typeof searchReplySchema>;

const batchEntrySchema = z.strictObject({ ...result, ...freshnessFields, ...consistencyFields }).meta({ id: 'BatchEntry' });
export type BatchEntry = z.output<typeof batchEntrySchema>;

export const batchReplySchema = z
  .strictObject({ results: z.array(batchEntrySchema).describe('In the order of the queries'), batch_time_ms: z.number() })
  .meta({ id: 'BatchReply' });
export type BatchReply = z.output<typeof batchReplySchema>;

export const statsReplySchema = z
  .strictObject({
    vector_index: z.string().describe('The kind of index: local or qdrant'),
    status: z.string().describe('green, yellow, grey or red'),
    points_count: z.number().int(),
    vectors_count: z.number().int(),
    indexed_vectors_count: z.number().int().describe('Vectors that an approximate index covers; the rest is scanned exactly'),
    collection: z.string(),
    dimensions: z.number().int(),
    ...indexFreshnessFields,
  })
  .meta({ id: 'IndexStatistics' });
export type StatsReply = z.output<typeof statsReplySchema>;

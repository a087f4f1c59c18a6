import { projectSchema, queryDecimal, queryInteger, storableText } from '#projects';
import { z } from 'zod';
import { CONSISTENCY_WAIT_DEFAULT_MS, CONSISTENCY_WAIT_MAXIMUM_MS } from './consistency-demand.js';
import { filtersSchema } from './filters.schema.js';

const QUERY_MAX_LENGTH = 8_000;
const QUERIES_MAXIMUM = 50;
const TOP_K_MAXIMUM = 100;
export const TOP_K_DEFAULT = 5;
const MODES = ['vector', 'keyword', 'hybrid'];

const TOKEN_DESCRIPTION =
  'X-Kindred-Token of a write that the answer should show; also accepted as a header of that name. The reply then has freshness';
const WAIT_DESCRIPTION = `Longest time to wait for the index with a token, milliseconds; 0 = answer at once. Without a token nothing is waited for. Default ${CONSISTENCY_WAIT_DEFAULT_MS}`;

const queryText = storableText(QUERY_MAX_LENGTH);

const options = {
  top_k: z.number().int().min(1).max(TOP_K_MAXIMUM).default(TOP_K_DEFAULT),
  threshold: z
    .number()
    .min(-1)
    .max(1)
    .optional()
    .describe('Only results at least this similar (cosine); default: SIMILARITY_THRESHOLD, normally 0.3'),
  filters: filtersSchema.optional(),
  mode: z
    .string()
    .refine((mode) => MODES.includes(mode), { message: `must be one of ${MODES.join(', ')}`, params: { code: 'not-allowed' }, abort: true })
    .refine((mode) => mode === 'vector', {
      message: 'is not available: this version searches by vector only',
      params: { code: 'not-available' },
    })
    .meta({ enum: ['vector'] })
    .default('vector'),
  consistency_token: z.string().describe(TOKEN_DESCRIPTION).optional(),
  wait_ms: z.number().int().min(0).max(CONSISTENCY_WAIT_MAXIMUM_MS).describe(WAIT_DESCRIPTION).optional(),
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
  consistency_token: z.string().describe(TOKEN_DESCRIPTION).optional(),
  wait_ms: queryInteger({
    minimum: 0,
    maximum: CONSISTENCY_WAIT_MAXIMUM_MS,
    default: CONSISTENCY_WAIT_DEFAULT_MS,
    description: WAIT_DESCRIPTION,
  }).optional(),
});
export type SimilarParameters = z.output<typeof similarQuerySchema>;

const freshness = {
  degraded: z.boolean().describe('Whether a copy in the service answered because the index itself did not'),
  source: z.enum(['local', 'qdrant']).describe('Which index answered'),
  index_age_seconds: z
    .number()
    .min(0)
    .optional()
    .describe('Only when degraded: how far the copy may be behind the rows. Deleted rows and filters are checked on the rows all the same'),
  index: z.strictObject({
    generation: z.string(),
    model: z.string(),
    pending: z.number().int().describe('Rows whose latest change searches do not see yet'),
  }),
};

/** Of a search that named a write. */
const consistency = {
  freshness: z
    .enum(['fresh', 'stale'])
    .optional()
    .describe('Only with a consistency token. fresh = the index that answered has that write; stale = it may not have it yet'),
  backlog: z.number().int().optional().describe('Only with stale: rows whose latest change is not in the index, counted for this answer'),
};

const result = {
  results: z.array(
    z.strictObject({ project: projectSchema, similarity: z.number().describe('Cosine, 4 decimals'), rank: z.number().int() }),
  ),
  total: z.number().int().describe('Number of results'),
  truncated: z.boolean().describe('Whether the text was longer than the model reads, so that its end did not count'),
};

export const searchReplySchema = z
  .strictObject({ ...result, search_time_ms: z.number(), ...freshness, ...consistency })
  .meta({ id: 'SearchReply' });
export type SearchReply = z.output<typeof searchReplySchema>;

const batchEntrySchema = z.strictObject({ ...result, ...freshness, ...consistency }).meta({ id: 'BatchEntry' });
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
    ...freshness,
  })
  .meta({ id: 'IndexStatistics' });
export type StatsReply = z.output<typeof statsReplySchema>;

import { storableText } from '#rules';
import { z } from 'zod';
import { atMostOne, generationNumber, modelName, queryFlag, sourceName, textPrefix, timestamp } from './admin-rules.js';
import { entryCountsSchema, generationStateSchema } from './sync-status.schemas.js';

const REASON_MAX_LENGTH = 500;
/** No model reads more; the model at hand mostly reads fewer and says so. */
const TOKENS_MAXIMUM = 100_000;
/** As for OPENAI_EMBEDDING_DIMENSIONS. */
const DIMENSIONS_MAXIMUM = 16_384;

export const generationListQuerySchema = z.strictObject({
  include_retired: queryFlag('Also those that are retired').optional(),
});
export type GenerationListParameters = z.output<typeof generationListQuerySchema>;

export const createGenerationSchema = z
  .strictObject({
    source: sourceName,
    dry_run: z.boolean().default(false).describe('Only say what it would cost'),
    embedder: z
      .strictObject({
        provider: z.enum(['local', 'openai']).optional().describe('local = a model on this machine, openai = the configured service'),
        model: modelName.optional(),
        dtype: z.enum(['q8', 'fp32', 'fp16']).optional().describe('Of a local model'),
        dimensions: z.number().int().min(1).max(DIMENSIONS_MAXIMUM).optional().describe('Of a model of the service that can give fewer'),
        max_tokens: z.number().int().min(1).max(TOKENS_MAXIMUM).optional().describe('Tokens of a text that are read'),
        query_prefix: textPrefix.optional(),
        document_prefix: textPrefix.optional(),
      })
      .default({})
      .describe('What differs from the configured model; nothing = the configured one'),
    reason: storableText(REASON_MAX_LENGTH).optional().describe('Why, for the people who see it later'),
  })
  .meta({ id: 'CreateGenerationRequest' });
export type CreateGenerationRequest = z.output<typeof createGenerationSchema>;

export const forceSchema = z
  .strictObject({ force: z.boolean().default(false).describe('Dead letters do not count against it') })
  .meta({ id: 'ForceRequest' });
export type ForceRequest = z.output<typeof forceSchema>;

export const rollbackSchema = z
  .strictObject({ source: sourceName.optional(), generation: generationNumber.optional() })
  .superRefine(atMostOne(['source', 'generation']))
  .meta({ id: 'RollbackRequest' });
export type RollbackRequest = z.output<typeof rollbackSchema>;

const embedderSchema = z.strictObject({
  provider: z.string(),
  model: z.string(),
  revision: z.string(),
  dtype: z.string(),
  dimensions: z.number().int(),
  pooling: z.string(),
  query_prefix: z.string(),
  document_prefix: z.string(),
  max_tokens: z.number().int(),
});

export const gateReportSchema = z
  .strictObject({
    status: z.enum(['running', 'passed', 'refused', 'failed']),
    passed: z.boolean().describe('Good for 15 minutes from checked_at'),
    reasons: z.array(z.strictObject({ code: z.string(), detail: z.string() })).describe('All that speaks against it'),
    is_forced: z.boolean(),
    began_at: z.string(),
    checked_at: z.string().nullable(),
    holder: z.string(),
    certificate_id: z.string().nullable(),
    sample: z
      .strictObject({
        rows: z.number().int(),
        mismatches: z.array(z.strictObject({ id: z.string(), difference: z.string() })),
        lowest_cosine: z.number().nullable(),
      })
      .nullable()
      .describe('Rows that were read from the index and embedded again'),
    overlap_at_10: z.number().nullable(),
    rank_shift: z.number().nullable(),
    comparison: z
      .strictObject({
        serving_generation: z.number().int(),
        queries: z.number().int(),
        overlap_at_10: z.number().describe('Mean share of the ten best that both generations give'),
        rank_shift: z.number().nullable(),
      })
      .nullable(),
    dead: z.number().int().nullable(),
    pending_before: z.number().int().nullable(),
  })
  .meta({ id: 'GateReport' });

export const generationSchema = z
  .strictObject({
    id: z.number().int(),
    source: z.string(),
    state: generationStateSchema,
    collection: z.string(),
    model: z.string(),
    model_rev: z.string(),
    template_rev: z.string(),
    dimensions: z.number().int(),
    embedder: embedderSchema,
    reason: z.string().nullable(),
    created_at: timestamp,
    filled_at: timestamp.nullable().describe('When every row that existed at its creation had an entry'),
    serving_since: timestamp.nullable(),
    standby_since: timestamp.nullable(),
    retired_at: timestamp.nullable(),
    dropped_at: timestamp.nullable().describe('When its collection and entries were removed'),
    paused_at: timestamp.nullable(),
    pause_reason: z.string().nullable(),
    gate: gateReportSchema.nullable().describe('The latest gate'),
  })
  .meta({ id: 'Generation' });
export type GenerationReply = z.output<typeof generationSchema>;

export const generationListSchema = z.strictObject({ items: z.array(generationSchema) }).meta({ id: 'GenerationList' });

export const generationDetailSchema = z
  .strictObject({
    ...generationSchema.shape,
    progress: z.strictObject({
      is_filled: z.boolean(),
      entries: entryCountsSchema,
      rate_per_second: z.number().describe('Entries that reached the index per second, lately, over all relays'),
      eta_seconds: z.number().nullable().describe('Until nothing is pending at that rate; null when it cannot be said'),
    }),
  })
  .meta({ id: 'GenerationDetail' });

export const generationPlanSchema = z
  .strictObject({
    source: z.string(),
    collection_prefix: z.string(),
    model: z.string(),
    model_rev: z.string(),
    template_rev: z.string(),
    embedder: embedderSchema,
    rows: z.number().int(),
    cached_rows: z.number().int().describe('Rows whose vector is there already'),
    rows_to_embed: z.number().int(),
    tokens_to_embed: z.number().int().describe('An estimate'),
    expected_minutes: z.number().describe('An estimate'),
    sample: z.strictObject({ rows: z.number().int(), tokens: z.number().int(), rows_per_second: z.number().nullable() }),
    basis: z.string().describe('How the estimates were made'),
  })
  .meta({ id: 'GenerationPlan' });

import { uuidText } from '#rules';
import { DIFFERENCE_KINDS, type Certificate, type DifferenceKind } from '#sync';
import { z } from 'zod';
import { atMostOne, generationNumber, pageLimit, queryFlag, queryGeneration, sourceName } from './admin-rules.js';

const LIMIT_DEFAULT = 20;
const BUDGET_MINIMUM_MS = 100;
const BUDGET_MAXIMUM_MS = 86_400_000;
const SAMPLE_MAXIMUM = 10_000;

export const reconcileSchema = z
  .strictObject({
    source: sourceName.optional(),
    generation: generationNumber.optional(),
    dry_run: z.boolean().default(false).describe('Only report what differs'),
    force: z
      .boolean()
      .default(false)
      .describe('Repair also what the delete guard stops: many points without rows, or an empty source. Say so only when that is right'),
    budget_ms: z
      .number()
      .int()
      .min(BUDGET_MINIMUM_MS)
      .max(BUDGET_MAXIMUM_MS)
      .optional()
      .describe('Longest time; after it the certificate is incomplete'),
    sample_size: z
      .number()
      .int()
      .min(0)
      .max(SAMPLE_MAXIMUM)
      .optional()
      .describe('Points whose vector is compared with the cache; default 100'),
    after: uuidText
      .meta({
        openapi: { type: 'string', format: 'uuid', description: 'Begin behind this id, where an incomplete run has ended (its up_to)' },
      })
      .optional(),
  })
  .superRefine(atMostOne(['source', 'generation']))
  .meta({ id: 'ReconcileRequest' });
export type ReconcileRequest = z.output<typeof reconcileSchema>;

const decisionSchema = z
  .enum(['running', 'clean', 'repaired', 'differs', 'refused', 'incomplete', 'failed'])
  .describe(
    'clean: all compared, nothing differs; repaired: every difference was handed to the relay; differs: something was left alone; refused: it looked like a mistake and nothing was touched; incomplete: it was cut off',
  );

export const startedReconciliationSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }).describe('Of the certificate, which holds the progress while it runs'),
    generation: z.number().int(),
    source: z.string(),
    decision: decisionSchema,
  })
  .meta({ id: 'StartedReconciliation' });

export const certificateListQuerySchema = z.strictObject({
  source: sourceName.optional(),
  generation: queryGeneration.optional(),
  limit: pageLimit(LIMIT_DEFAULT, 'Certificates').optional(),
  cursor: uuidText.meta({ openapi: { type: 'string', format: 'uuid', description: 'next_cursor of the page before' } }).optional(),
});
export type CertificateListParameters = z.output<typeof certificateListQuerySchema>;
export const limitOf = ({ limit }: CertificateListParameters): number => limit ?? LIMIT_DEFAULT;

export const latestQuerySchema = z
  .strictObject({
    source: sourceName.optional().describe('Its serving generation; default: projects'),
    generation: queryGeneration.optional(),
  })
  .superRefine(atMostOne(['source', 'generation']));
export type LatestParameters = z.output<typeof latestQuerySchema>;

export const certificateQuerySchema = z.strictObject({
  download: queryFlag('Answer as a file to be saved').optional(),
});
export type CertificateParameters = z.output<typeof certificateQuerySchema>;

const differenceSchema = z.strictObject({ count: z.number().int(), examples: z.array(z.string()).describe('Up to 100 ids') });
const digests = { rows: z.string(), points: z.string() };

export const certificateSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    format: z.literal(1),
    generation: z.number().int(),
    source: z.string(),
    collection: z.string(),
    model: z.string(),
    model_rev: z.string(),
    template_rev: z.string(),
    database_id: z.string().describe('Identity of the database, which the collection names too'),
    store: z.strictObject({ source: z.string(), version: z.string().nullable(), run: z.string().nullable() }),
    from: z.string(),
    to: z.string().nullable().describe('null while it runs'),
    duration_ms: z.number(),
    is_read_only: z.boolean(),
    is_forced: z.boolean(),
    after: z.string().nullable().describe('The walk began behind this id; null = at the start'),
    up_to: z.string().nullable().describe('The last id of a walk that did not come to the end'),
    rows: z.number().int(),
    points: z.number().int(),
    verified: z.number().int().describe('Ids whose row, ledger entry and point agree'),
    in_flight: z.number().int().describe('Ids that a relay has still to write or delete; counted, not judged'),
    tombstones: z.number().int(),
    dead: z.number().int(),
    differences: z.strictObject(
      Object.fromEntries(DIFFERENCE_KINDS.map((kind) => [kind, differenceSchema])) as Record<DifferenceKind, typeof differenceSchema>,
    ),
    resolved: z.number().int().describe('Ids that differed at the first look only'),
    repaired: z.number().int(),
    text_verified: z.boolean(),
    sampled_vectors: z.number().int(),
    digest: z.strictObject({
      algorithm: z.string(),
      ...digests,
      buckets: z.record(z.string(), z.strictObject(digests)).optional().describe('By the last byte of the id; not in lists'),
    }),
    decision: decisionSchema,
    reasons: z.array(z.string()).describe('Sentences for people'),
  })
  .meta({ id: 'Certificate' });

export const certificatePageSchema = z
  .strictObject({
    items: z.array(certificateSchema),
    next_cursor: z.string().nullable().describe('Pass as cursor for the next page; null on the last one'),
  })
  .meta({ id: 'CertificatePage' });

/** The exported document: the report with its id. */
export const certificateReplyOf = ({ id, report }: Certificate) => ({ id, ...report });

import { queryInteger } from '#rules';
import { z } from 'zod';
import { CONSISTENCY_WAIT_DEFAULT_MS, CONSISTENCY_WAIT_MAXIMUM_MS } from './consistency-demand.js';

const TOKEN_DESCRIPTION =
  'X-Kindred-Token of a write that the answer should show; also accepted as a header of that name. The reply then has freshness';
const WAIT_DESCRIPTION = `Longest time to wait for the index with a token, milliseconds; 0 = answer at once. Without a token nothing is waited for. Default ${CONSISTENCY_WAIT_DEFAULT_MS}`;

/** Where the body of a search may name a write. */
export const consistencyBodyFields = {
  consistency_token: z.string().describe(TOKEN_DESCRIPTION).optional(),
  wait_ms: z.number().int().min(0).max(CONSISTENCY_WAIT_MAXIMUM_MS).describe(WAIT_DESCRIPTION).optional(),
};

/** Where the query string of a search may name a write. */
export const consistencyQueryFields = {
  consistency_token: z.string().describe(TOKEN_DESCRIPTION).optional(),
  wait_ms: queryInteger({
    minimum: 0,
    maximum: CONSISTENCY_WAIT_MAXIMUM_MS,
    default: CONSISTENCY_WAIT_DEFAULT_MS,
    description: WAIT_DESCRIPTION,
  }).optional(),
};

const index = z.strictObject({
  generation: z.string(),
  model: z.string(),
  pending: z.number().int().describe('Rows whose latest change searches do not see yet'),
});

/** Of every reply of an index: which one, and how far behind the rows. */
export const indexFreshnessFields = {
  degraded: z.boolean().describe('Whether a copy in the service answered because the index itself did not'),
  source: z.enum(['local', 'qdrant']).describe('Which index answered'),
  index_age_seconds: z
    .number()
    .min(0)
    .optional()
    .describe('Only when degraded: how far the copy may be behind the rows. Deleted rows and filters are checked on the rows all the same'),
  index,
};

/** Of every reply of a search: who answered, and how far behind the rows. */
export const freshnessFields = {
  ...indexFreshnessFields,
  degraded: z
    .boolean()
    .describe(
      'Whether something else answered because the index or the model did not: a copy in the service, or the words of the text alone',
    ),
  source: z
    .enum(['local', 'qdrant', 'keyword'])
    .describe('Which index answered; keyword = none: PostgreSQL found the words of the text, because the mode says so or degraded does'),
  index: index.nullable().describe('The index that serves; null before there is one, when only words can be looked for'),
};

/** Of a search that named a write. */
export const consistencyFields = {
  freshness: z
    .enum(['fresh', 'stale'])
    .optional()
    .describe('Only with a consistency token. fresh = the index that answered has that write; stale = it may not have it yet'),
  backlog: z.number().int().optional().describe('Only with stale: rows whose latest change is not in the index, counted for this answer'),
};

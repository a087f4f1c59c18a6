import { isUuid } from '#kernel';
import type { DeadLetter, DeadLetterScope, DeadLetterSelection } from '#sync';
import { z } from 'zod';
import { atMostOne, generationNumber, pageLimit, queryGeneration, sourceName, timestamp, wellFormedText } from './admin-rules.js';

const IDS_MAXIMUM = 1_000;
const CODE_MAX_LENGTH = 100;
const CURSOR_MAX_LENGTH = 100;
const LIMIT_DEFAULT = 50;

export const deadLetterQuerySchema = z.strictObject({
  source: sourceName.optional(),
  generation: queryGeneration.optional(),
  code: z.string().min(1).max(CODE_MAX_LENGTH).describe('Only those that failed with this code').optional(),
  limit: pageLimit(LIMIT_DEFAULT, 'Dead letters').optional(),
  cursor: z.string().min(1).max(CURSOR_MAX_LENGTH).describe('next_cursor of the page before').optional(),
});
export type DeadLetterParameters = z.output<typeof deadLetterQuerySchema>;
export const limitOf = ({ limit }: DeadLetterParameters): number => limit ?? LIMIT_DEFAULT;

const deadLetterSchema = z.strictObject({
  source_id: z.string().meta({ format: 'uuid' }).describe('Id of the row'),
  source: z.string(),
  generation: z.number().int(),
  version: z.number().int().describe('Ledger version that failed'),
  attempts: z.number().int(),
  error: z.strictObject({ code: z.string(), message: z.string(), at: z.string() }),
  changed_at: timestamp.describe('When the row first changed without the index following'),
  muted: z.strictObject({ reason: z.string(), at: timestamp }).nullable().describe('null = it counts'),
});
type DeadLetterReply = z.output<typeof deadLetterSchema>;

export const deadLetterPageSchema = z
  .strictObject({
    items: z.array(deadLetterSchema),
    next_cursor: z.string().nullable().describe('Pass as cursor for the next page; null on the last one'),
  })
  .meta({ id: 'DeadLetterPage' });

const SELECTIONS = ['ids', 'code', 'all'] as const;

const rowIds = z
  .array(
    z
      .string()
      .refine(isUuid, { message: 'must be a UUID', params: { code: 'not-a-uuid' } })
      .meta({ format: 'uuid' }),
  )
  .min(1)
  .max(IDS_MAXIMUM);

export const requeueSchema = z
  .strictObject({
    ids: rowIds.optional().describe('Ids of rows'),
    code: z.string().min(1).max(CODE_MAX_LENGTH).optional().describe('Everything that failed with this code'),
    all: z.literal(true).optional().describe('Everything'),
    source: sourceName.optional(),
    generation: generationNumber.optional(),
  })
  .superRefine(atMostOne(SELECTIONS))
  .superRefine((body, context) => {
    if (SELECTIONS.every((name) => body[name] === undefined))
      context.addIssue({ code: 'custom', path: [], params: { code: 'required' }, message: 'must have one of ids, code and all' });
  })
  .meta({ id: 'RequeueRequest' });
export type RequeueRequest = z.output<typeof requeueSchema>;

export const requeuedSchema = z
  .strictObject({ requeued: z.number().int().describe('Dead letters that are pending again') })
  .meta({ id: 'Requeued' });

const REASON_MAX_LENGTH = 500;

export const muteSchema = z
  .strictObject({
    ids: rowIds.describe('Ids of rows'),
    reason: wellFormedText(REASON_MAX_LENGTH).min(1).describe('Why it may stay as it is; for whoever looks next'),
    source: sourceName.optional(),
    generation: generationNumber.optional(),
  })
  .meta({ id: 'MuteRequest' });
export type MuteRequest = z.output<typeof muteSchema>;
export const mutedSchema = z.strictObject({ muted: z.number().int() }).meta({ id: 'Muted' });

export const unmuteSchema = z
  .strictObject({ ids: rowIds.describe('Ids of rows'), source: sourceName.optional(), generation: generationNumber.optional() })
  .meta({ id: 'UnmuteRequest' });
export type UnmuteRequest = z.output<typeof unmuteSchema>;
export const unmutedSchema = z.strictObject({ unmuted: z.number().int() }).meta({ id: 'Unmuted' });

export function deadLetterReplyOf(letter: DeadLetter): DeadLetterReply {
  return {
    source_id: letter.sourceId,
    source: letter.source,
    generation: letter.generationId,
    version: letter.version,
    attempts: letter.attempts,
    error: letter.error,
    changed_at: letter.changedAt.toISOString(),
    muted: letter.mute === null ? null : { reason: letter.mute.reason, at: letter.mute.at.toISOString() },
  };
}

export function selectionOf({ ids, code, source, generation }: RequeueRequest): DeadLetterScope & DeadLetterSelection {
  const scope = { source, generationId: generation };
  if (ids !== undefined) return { ...scope, ids: ids.map((id) => id.toLowerCase()) };
  return code === undefined ? { ...scope, all: true } : { ...scope, code };
}

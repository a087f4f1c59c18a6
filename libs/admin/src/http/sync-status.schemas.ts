import { z } from 'zod';
import { timestamp } from './admin-rules.js';

export const generationStateSchema = z.enum(['building', 'serving', 'standby', 'retired']).meta({ id: 'GenerationState' });

export const entryCountsSchema = z.strictObject({
  pending: z.number().int(),
  synced: z.number().int(),
  dead: z.number().int(),
  tombstone: z.number().int(),
});

const generationStatusSchema = z.strictObject({
  id: z.number().int(),
  source: z.string(),
  collection: z.string(),
  state: generationStateSchema,
  paused_at: timestamp.nullable().describe('Set while its relays stand still, because one side was restored'),
  pause_reason: z.string().nullable(),
  entries: entryCountsSchema,
  oldest_pending_age_seconds: z.number().nullable().describe('null = nothing is pending'),
  attempts: z.array(z.number().int()).describe('Pending entries by attempts made; the last number stands for 10 and more'),
  dead_by_code: z.record(z.string(), z.number().int()),
  muted: z.number().int().describe('Dead entries that are out of these counts because an operator muted them'),
  leased: z.number().int().describe('Entries that some relay is working on'),
  in_doubt: z.number().int().describe('Entries of which an unrecorded write may have reached the index'),
  due_tombstones: z.number().int(),
});

const relayStatusSchema = z.strictObject({
  is_running: z.boolean(),
  counts: z.record(z.string(), z.number()).describe('What this process has done since it started; numbers only grow'),
  lag: z
    .strictObject({ bounds_ms: z.array(z.number()), counts: z.array(z.number().int()), sum_ms: z.number() })
    .describe('From the change of a row to its acknowledged write; counts[n] for at most bounds_ms[n], the last one for all above'),
  store: z.strictObject({
    phase: z.string().describe('open, paused, probing or ramping'),
    paused_for_ms: z.number(),
    batch_limit: z.number().int(),
    upserts_paused_for_ms: z.number(),
  }),
  embedders: z.array(z.strictObject({ model_rev: z.string(), paused_for_ms: z.number() })),
  retry_budgets: z.array(z.strictObject({ generation: z.number().int(), available: z.number(), capacity: z.number(), spent: z.number() })),
  in_flight: z.number().int().describe('Batches under way'),
});

const searchStatusSchema = z.strictObject({
  breaker: z
    .enum(['closed', 'open', 'half-open'])
    .nullable()
    .describe('open: the index is not asked, its copy answers; null = the index is in this process'),
  replicas: z.array(z.strictObject({ collection: z.string(), state: z.string(), age_seconds: z.number().nullable() })),
  counters: z
    .strictObject({
      answered: z.record(z.string(), z.number().int()).describe('Searches by who answered'),
      degraded: z.number().int(),
      unanswered: z.number().int(),
      breaker_transitions: z.record(z.string(), z.number().int()),
      primary_failures: z.record(z.string(), z.number().int()),
      shadow_searches: z.number().int().describe('Searches that ran on the copy as well, to compare'),
      overlap_at_10: z.number().nullable().describe('Mean share of the ten best that index and copy both named'),
    })
    .nullable()
    .describe('Since the process started; null = there is no copy'),
});

export const syncStatusSchema = z
  .strictObject({
    read_at: timestamp.describe('By the clock of the database'),
    generations: z.array(generationStatusSchema).describe('All that are not retired'),
    relay: relayStatusSchema.describe('The relay of the process that answers'),
    search: searchStatusSchema.describe('What answers the searches of the process that answers'),
  })
  .meta({ id: 'SyncStatus' });
export type SyncStatusReply = z.output<typeof syncStatusSchema>;

import { queryInteger } from '#rules';
import { SCHEDULE_NAMES, type ScheduleRun, type ScheduleStatus } from '#sync';
import { z } from 'zod';
import { timestamp } from './admin-rules.js';

const NAME_MAX_LENGTH = 50;
const LIMIT_DEFAULT = 20;
const LIMIT_MAXIMUM = 500;

export const scheduleName = z
  .string()
  .min(1)
  .max(NAME_MAX_LENGTH)
  .meta({ openapi: { type: 'string', enum: [...SCHEDULE_NAMES] } });

export const historyQuerySchema = z.strictObject({
  limit: queryInteger({ minimum: 1, maximum: LIMIT_MAXIMUM, default: LIMIT_DEFAULT, description: 'Runs to list' }).optional(),
});
export type HistoryParameters = z.output<typeof historyQuerySchema>;
export const limitOf = ({ limit }: HistoryParameters): number => limit ?? LIMIT_DEFAULT;

const scheduleRunSchema = z
  .strictObject({
    schedule: z.string(),
    due_at: timestamp.describe('By the clock of the database; names the run'),
    started_at: timestamp,
    finished_at: timestamp.nullable().describe('null while it runs'),
    outcome: z.enum(['running', 'done', 'failed', 'skipped']).describe('skipped: the run before had not ended'),
    holder: z.string().describe('Host and process id of who runs or ran it'),
    result: z.unknown().describe('What it found out; depends on the schedule'),
  })
  .meta({ id: 'ScheduleRun' });
type RunReply = z.output<typeof scheduleRunSchema>;

const scheduleSchema = z.strictObject({
  name: z.enum(SCHEDULE_NAMES),
  expression: z.string().nullable().describe('Cron expression, UTC; null = only by hand'),
  next_due_at: timestamp.nullable(),
  last_run: scheduleRunSchema.nullable().describe('The newest, which may be under way'),
  last_result: scheduleRunSchema.nullable().describe('The newest that ended as done or failed'),
});

export const scheduleListSchema = z.strictObject({ items: z.array(scheduleSchema) }).meta({ id: 'ScheduleList' });
export const scheduleRunsSchema = z.strictObject({ items: z.array(scheduleRunSchema) }).meta({ id: 'ScheduleRuns' });
export const startedRunSchema = z.strictObject({ schedule: z.string(), due_at: timestamp }).meta({ id: 'StartedRun' });

export function runReplyOf(run: ScheduleRun): RunReply {
  return {
    schedule: run.schedule,
    due_at: run.dueAt.toISOString(),
    started_at: run.startedAt.toISOString(),
    finished_at: run.finishedAt?.toISOString() ?? null,
    outcome: run.outcome,
    holder: run.holder,
    result: run.result,
  };
}

export function scheduleReplyOf({ name, expression, nextDueAt, newest, finished }: ScheduleStatus): z.output<typeof scheduleSchema> {
  return {
    name,
    expression,
    next_due_at: nextDueAt?.toISOString() ?? null,
    last_run: newest === null ? null : runReplyOf(newest),
    last_result: finished === null ? null : runReplyOf(finished),
  };
}

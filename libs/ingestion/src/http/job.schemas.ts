import { queryInteger, uuidText } from '#rules';
import { z } from 'zod';
import { IMPORT_FORMATS, IMPORT_KINDS, JOB_STATES } from '../import-job.js';
import { JOB_EXAMPLE } from './job.examples.js';

const PAGE_MAXIMUM = 100;
const PAGE_DEFAULT = 20;
const PROBLEMS_PAGE_DEFAULT = 100;
const ORDINAL_MAXIMUM = 999_999_999;

const timestamp = z.string().meta({ format: 'date-time' });
const count = z.number().int();

/** An import in a reply. */
export const jobSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    kind: z.enum(IMPORT_KINDS),
    format: z.enum(IMPORT_FORMATS),
    state: z
      .enum(JOB_STATES)
      .describe(
        'done, failed and cancelled are final; a failed one can be resumed as long as its file is kept, which it is not when it cannot be read',
      ),
    dry_run: z.boolean(),
    collection_id: z.string().nullable().meta({ format: 'uuid' }).describe('Of documents that name no collection'),
    file_name: z.string().nullable(),
    sha256: z.string().nullable().describe('Of the uploaded file, hexadecimal'),
    progress: z.strictObject({
      lines: count.describe('Rows read so far; accepted + rejected'),
      accepted: count.describe('inserted + updated + unchanged'),
      inserted: count,
      updated: count,
      unchanged: count.describe('Were there already, equal in every field, and were not written'),
      rejected: count,
      bytes: count.describe('Of the file, read so far'),
      total_bytes: count.nullable(),
      rate_per_second: z.number().nullable().describe('Rows; null before the first'),
      eta_seconds: z.number().nullable().describe('Estimate from the bytes that are left; null when nothing runs'),
    }),
    problems: z.strictObject({ found: count, stored: count.describe('What GET …/problems lists'), left_out: count }),
    error: z.strictObject({ code: z.string(), detail: z.string() }).nullable().describe('Why it failed'),
    notice: z.string().nullable().describe('What a person should know'),
    index_pending: count.nullable().describe('Rows of this kind, of whatever origin, that are not searchable yet; null = unknown'),
    created_at: timestamp,
    started_at: timestamp.nullable(),
    finished_at: timestamp.nullable(),
  })
  .meta({ id: 'ImportJob', example: JOB_EXAMPLE });
export type JobReply = z.output<typeof jobSchema>;

export const jobPageSchema = z
  .strictObject({
    items: z.array(jobSchema),
    next_cursor: z.string().nullable().describe('Pass as cursor for the next page; null on the last one'),
  })
  .meta({ id: 'ImportJobPage' });

export const jobProblemsSchema = z
  .strictObject({
    items: z.array(
      z.strictObject({
        line: count.describe('Line of the file, from 1'),
        pointer: z.string().describe('JSON pointer into the row; empty = the line as a whole'),
        code: z.string(),
        detail: z.string(),
      }),
    ),
    next_cursor: z.string().nullable(),
    left_out: count.describe('Problems that were counted but not stored'),
  })
  .meta({ id: 'ImportProblemPage' });

export const jobListQuerySchema = z.strictObject({
  limit: queryInteger({ minimum: 1, maximum: PAGE_MAXIMUM, default: PAGE_DEFAULT, description: 'Jobs per page' }).optional(),
  cursor: uuidText.meta({ openapi: { type: 'string', format: 'uuid', description: 'next_cursor of the page before' } }).optional(),
});
export type JobListParameters = z.output<typeof jobListQuerySchema>;

export const problemListQuerySchema = z.strictObject({
  limit: queryInteger({ minimum: 1, maximum: 1_000, default: PROBLEMS_PAGE_DEFAULT, description: 'Problems per page' }).optional(),
  cursor: queryInteger({ minimum: 0, maximum: ORDINAL_MAXIMUM, description: 'next_cursor of the page before' }).optional(),
});
export type ProblemListParameters = z.output<typeof problemListQuerySchema>;

export const jobLimitOf = ({ limit = PAGE_DEFAULT }: JobListParameters): number => limit;
export const problemLimitOf = ({ limit = PROBLEMS_PAGE_DEFAULT }: ProblemListParameters): number => limit;

import { calendarDay, craftTerm, decimalNumber, storableText, uuidText } from '#rules';
import { z } from 'zod';
import type { ProjectFields, ProjectPatch } from '../project.js';
import { PROJECT_EXAMPLE } from './project.examples.js';

const NAME_MAX_LENGTH = 200;
const DESCRIPTION_MAX_LENGTH = 20_000;
const EXTERNAL_ID_MAX_LENGTH = 200;
/** numeric(10,2) and numeric(14,2) of the table. */
const AREA_MAXIMUM = 99_999_999.99;
const PRICE_MAXIMUM = 999_999_999_999.99;
const DEFAULT_CURRENCY = 'EUR';
const TERM_CHARACTERS = 'letters, digits, spaces and - _ . / & +';

/** The rule of each field; what may be absent or null differs between the requests. */
const FIELDS = {
  name: storableText(NAME_MAX_LENGTH).describe('Short title of the project'),
  description: storableText(DESCRIPTION_MAX_LENGTH).describe('What was built, in free text; this is what searches mostly compare'),
  project_type: craftTerm().nullable().describe(`For example kitchen, stairs, windows, roof; ${TERM_CHARACTERS}`),
  region: craftTerm().nullable().describe(`For example Bavaria; ${TERM_CHARACTERS}`),
  wood_type: craftTerm().nullable().describe(`For example oak; ${TERM_CHARACTERS}`),
  total_area_sqm: decimalNumber(AREA_MAXIMUM).nullable().describe('Square metres, at most 2 decimals'),
  complexity: z.number().int().min(1).max(5).nullable().describe('1 (simple) to 5 (masterpiece)'),
  final_price: decimalNumber(PRICE_MAXIMUM).nullable().describe('In the currency, at most 2 decimals'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters, like EUR')
    .nullable()
    .transform((code) => code ?? DEFAULT_CURRENCY)
    .describe(`ISO 4217; null means ${DEFAULT_CURRENCY}`),
  completed_on: calendarDay().nullable(),
  external_id: storableText(EXTERNAL_ID_MAX_LENGTH).nullable().describe('Id of the project in another system; unique'),
};

/** Body of POST and PUT: the whole row. What is absent is null, or its default. */
export const projectBodySchema = z
  .strictObject({
    name: FIELDS.name,
    description: FIELDS.description,
    project_type: FIELDS.project_type.default(null),
    region: FIELDS.region.default(null),
    wood_type: FIELDS.wood_type.default(null),
    total_area_sqm: FIELDS.total_area_sqm.default(null),
    complexity: FIELDS.complexity.default(null),
    final_price: FIELDS.final_price.default(null),
    currency: FIELDS.currency.default(DEFAULT_CURRENCY),
    completed_on: FIELDS.completed_on.default(null),
    external_id: FIELDS.external_id.default(null),
  })
  .meta({ id: 'ProjectBody' }) satisfies z.ZodType<ProjectFields>;

/** Body of PATCH: a merge patch (RFC 7396). Absent = unchanged, null = cleared. */
export const projectPatchSchema = z.strictObject(FIELDS).partial().meta({ id: 'ProjectPatch' }) satisfies z.ZodType<ProjectPatch>;

const timestamp = z.string().meta({ format: 'date-time' });

/** The id of another system in a path. */
export const externalIdText = storableText(EXTERNAL_ID_MAX_LENGTH);

/** Rows that one request may delete. */
export const DELETE_MAXIMUM = 1_000;

export const deleteProjectsSchema = z
  .strictObject({ ids: z.array(uuidText).min(1).max(DELETE_MAXIMUM).describe('Ids of projects; one that is named twice counts once') })
  .meta({ id: 'DeleteProjects' });
export type DeleteProjectsRequest = z.output<typeof deleteProjectsSchema>;

export const deletedProjectsSchema = z
  .strictObject({
    deleted: z.number().int().describe('Rows that were deleted'),
    not_found: z.array(z.string().meta({ format: 'uuid' })).describe('Ids that no row had'),
  })
  .meta({ id: 'DeletedProjects' });

/** A row in a reply. */
export const projectSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    name: z.string(),
    description: z.string(),
    project_type: z.string().nullable(),
    region: z.string().nullable(),
    wood_type: z.string().nullable(),
    total_area_sqm: z.number().nullable(),
    complexity: z.number().int().nullable(),
    final_price: z.number().nullable(),
    currency: z.string(),
    completed_on: z.string().nullable().meta({ format: 'date' }),
    external_id: z.string().nullable(),
    version: z.number().int().describe('Grows by one with every update; the ETag is "v<version>"'),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Project', example: PROJECT_EXAMPLE });

export const indexStateSchema = z.enum(['pending', 'synced', 'dead']).meta({ id: 'IndexState' });

/** Reply of a write. */
export const writtenProjectSchema = z
  .strictObject({ ...projectSchema.shape, index_state: indexStateSchema.describe('How far the change had come when the reply was sent') })
  .meta({ id: 'WrittenProject' });

export const projectPageSchema = z
  .strictObject({
    items: z.array(projectSchema),
    next_cursor: z.string().nullable().describe('Pass as cursor for the next page; null on the last one'),
  })
  .meta({ id: 'ProjectPage' });

export const indexStatusSchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    state: z.enum(['pending', 'synced', 'dead', 'tombstone']),
    row_version: z.number().int().describe('Version of the row, as in its ETag'),
    version: z.number().int().nullable().describe('Ledger version of the latest change'),
    indexed_version: z.number().int().nullable().describe('Ledger version that the index holds; null = none yet'),
    attempts: z.number().int(),
    truncated: z.boolean().nullable().describe('Whether the text is longer than the model reads; null = not indexed yet'),
    last_error: z.strictObject({ code: z.string(), message: z.string(), at: z.string() }).nullable(),
    generation: z.string().nullable().describe('The index generation that serves searches'),
  })
  .meta({ id: 'ProjectIndexStatus' });
export type IndexStatusReply = z.output<typeof indexStatusSchema>;

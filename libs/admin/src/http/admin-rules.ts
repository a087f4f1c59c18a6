import { findTextDefect, queryInteger } from '#rules';
import { z } from 'zod';

const ID_MAXIMUM = 999_999_999;
const SOURCE_MAX_LENGTH = 100;
const PREFIX_MAX_LENGTH = 200;

/** Id of a generation in a path. */
export const generationId = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'must be the number of a generation')
  .transform(Number)
  .meta({ openapi: { type: 'integer', minimum: 1, maximum: ID_MAXIMUM } });

/** The same in a body. */
export const generationNumber = z.number().int().min(1).max(ID_MAXIMUM).describe('Number of a generation');

/** Name of a source; which exist is for the engine to say. */
export const sourceName = z.string().min(1).max(SOURCE_MAX_LENGTH).describe('Name of a source, for example projects');

export const queryGeneration = queryInteger({ minimum: 1, maximum: ID_MAXIMUM, description: 'Number of a generation' });

/** A model's name: nothing that could leave the folder of the models. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}(\/[A-Za-z0-9][A-Za-z0-9._:-]{0,99})?$/, 'must be the name of a model, or owner/name')
  .describe('Name of a model folder, owner/name on the model hub, or a model of the service');

/** A text that the database takes; may be empty. */
export function wellFormedText(maximum: number) {
  return z
    .string()
    .max(maximum)
    .refine((text) => findTextDefect(text) === null, { message: 'must be well-formed Unicode without NUL', params: { code: 'bad-text' } });
}

/** A prefix of texts; may be empty. */
export const textPrefix = wellFormedText(PREFIX_MAX_LENGTH);

/** `true` or `false` as text. */
export function queryFlag(description: string) {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .meta({ openapi: { type: 'boolean', description } });
}

export const pageLimit = (fallback: number, what: string) =>
  queryInteger({ minimum: 1, maximum: 500, default: fallback, description: `${what} per page` });

/** For calls that need nothing said. */
export const emptyBodySchema = z.strictObject({}).meta({ id: 'EmptyRequest' });

export const timestamp = z.string().meta({ format: 'date-time' });

/** Of these fields of a body or query at most one may be there. */
export function atMostOne(names: readonly string[]) {
  return (value: object, context: z.RefinementCtx): void => {
    const given = names.filter((name) => (value as Record<string, unknown>)[name] !== undefined);
    if (given.length > 1) {
      context.addIssue({
        code: 'custom',
        path: [given[1]!],
        params: { code: 'excluded' },
        message: `must not be given together with ${given[0]}`,
      });
    }
  };
}

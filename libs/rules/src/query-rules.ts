import { isUuid } from '#kernel';
import { z } from 'zod';

/**
 * Query parameters arrive as text, or as a list of texts when they are repeated. These rules read the text strictly: no `1e3`, no `0x10`, no
 * spaces, no repeats where one value is meant. `openapi` in the metadata is what the document shows instead of the text form.
 */
const INTEGER_PATTERN = /^-?\d{1,9}$/;
/** 15 digits are what a double holds exactly. */
export const DECIMAL_PATTERN = /^-?\d{1,15}(\.\d{1,9})?$/;

export function queryInteger(options: {
  readonly minimum: number;
  readonly maximum: number;
  readonly description: string;
  readonly default?: number;
}) {
  const { minimum, maximum, description } = options;
  return z
    .string()
    .regex(INTEGER_PATTERN, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .meta({
      openapi: { type: 'integer', minimum, maximum, description, ...(options.default === undefined ? {} : { default: options.default }) },
    });
}

export function queryDecimal(options: { readonly description: string; readonly minimum?: number; readonly maximum?: number }) {
  const { minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE, description } = options;
  return z
    .string()
    .regex(DECIMAL_PATTERN, 'must be a number like 12.5')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .meta({
      openapi: {
        type: 'number',
        description,
        ...(options.minimum === undefined ? {} : { minimum }),
        ...(options.maximum === undefined ? {} : { maximum }),
      },
    });
}

/** One value or several (`?region=Bavaria&region=Tyrol`); the result is always a list. */
export function queryList<Item extends z.ZodType<string, string>>(
  item: Item,
  options: { readonly description: string; readonly maximumItems: number },
) {
  return z.union([item.transform((value) => [value]), z.array(item).max(options.maximumItems)]).meta({
    openapi: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: options.maximumItems, description: options.description },
  });
}

/** The one spelling of a UUID that the API takes; lower case afterwards, as PostgreSQL prints it. */
export const uuidText = z
  .string()
  .refine(isUuid, { message: 'must be a UUID like 0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11', params: { code: 'not-a-uuid' } })
  .transform((text) => text.toLowerCase())
  .meta({ openapi: { type: 'string', format: 'uuid' } });

/** For routes without query parameters: an unknown one is a mistake of the caller that would otherwise go unnoticed. */
export const noQuery = z.strictObject({});

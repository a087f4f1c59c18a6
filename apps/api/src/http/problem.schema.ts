import { z } from 'zod';

/** Body of every error. */
export const problemSchema = z
  .strictObject({
    type: z.string().meta({ format: 'uri', description: 'urn:kindred:error:<code>' }),
    title: z.string().describe('Constant for the code'),
    status: z.number().int(),
    detail: z.string().describe('For people; never parse it'),
    instance: z.string().meta({ format: 'uri', description: 'Names this one request' }),
    code: z.string().describe('Stable word to branch on; docs/errors.md lists all'),
    request_id: z.string(),
    retryable: z.boolean().describe('Whether the same request can succeed later'),
    errors: z
      .array(
        z.strictObject({
          pointer: z
            .string()
            .describe('JSON pointer into the body, ?name of a query parameter, :name of a path parameter, @name of a header'),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .optional()
      .describe('What was refused, one entry per field'),
  })
  .meta({ id: 'Problem' });

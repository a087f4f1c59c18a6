import { uuidText } from '#rules';
import { z } from 'zod';
import { atMostOne, generationNumber, sourceName } from './admin-rules.js';

const LIMIT_DEFAULT = 1_000;
const LIMIT_MAXIMUM = 5_000;

export const touchSchema = z
  .strictObject({
    source: sourceName.optional(),
    generation: generationNumber.optional(),
    after: uuidText.nullable().default(null).describe('next of the page before; null = from the start'),
    limit: z.number().int().min(1).max(LIMIT_MAXIMUM).default(LIMIT_DEFAULT).describe('Rows looked at'),
  })
  .superRefine(atMostOne(['source', 'generation']))
  .meta({ id: 'TouchRequest' });
export type TouchRequest = z.output<typeof touchSchema>;

export const touchedSchema = z
  .strictObject({
    generation: z.number().int(),
    source: z.string(),
    touched: z.number().int().describe('Rows that are pending now'),
    next: z.string().meta({ format: 'uuid' }).nullable().describe('Pass as after for the next page; null on the last one'),
  })
  .meta({ id: 'TouchedPage' });

export const TOUCH_EXAMPLES = {
  first: { summary: 'The first page of the projects', value: {} },
  next: { summary: 'The page behind it', value: { source: 'projects', after: '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11', limit: 500 } },
};
export const TOUCHED_EXAMPLE = { generation: 1, source: 'projects', touched: 1_000, next: '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11' };

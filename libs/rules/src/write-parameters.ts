import { z } from 'zod';
import { queryInteger } from './query-rules.js';

const WAIT_MAXIMUM_MS = 10_000;

/** Query of every write to a resource. */
export const writeQuerySchema = z.strictObject({
  wait_for_index_ms: queryInteger({
    minimum: 0,
    maximum: WAIT_MAXIMUM_MS,
    default: 0,
    description: 'Wait at most this long until searches see the change. The status stays the same; index_state says how it ended',
  }).optional(),
});
export type WriteParameters = z.output<typeof writeQuerySchema>;

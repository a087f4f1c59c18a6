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

/** Of a DELETE that can be proven. */
export const receiptFlag = z
  .enum(['true', 'false'])
  .describe('true: 202 with the id of an erasure that proves, place by place, that everything made from it is gone; default false: 204')
  .optional();

/** Query of a DELETE that waits for the index. */
export const deleteQuerySchema = z.strictObject({ ...writeQuerySchema.shape, receipt: receiptFlag });
export type DeleteParameters = z.output<typeof deleteQuerySchema>;

/** Query of a DELETE that does not. */
export const receiptQuerySchema = z.strictObject({ receipt: receiptFlag });
export type ReceiptParameters = z.output<typeof receiptQuerySchema>;

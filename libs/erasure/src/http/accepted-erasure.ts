import type { FastifyReply } from 'fastify';
import { locationOf } from '../erasures.js';
import { ACCEPTED_ERASURE_EXAMPLE } from './erasure.examples.js';
import { acceptedErasureSchema } from './erasure.schemas.js';

/** For `ApiAcceptedResponse` of a DELETE that takes `receipt=true`. */
export const ERASURE_ACCEPTED = {
  description: 'With receipt=true: deleted, written down outside of the database, and on its way out of every other place',
  standardSchema: acceptedErasureSchema,
  example: ACCEPTED_ERASURE_EXAMPLE,
  headers: { Location: { description: 'Path of the receipt', schema: { type: 'string' } } },
} as const;

/** Answers such a DELETE. */
export function acceptedErasureReply(erasureId: string, reply: FastifyReply): { readonly erasure_id: string } {
  reply.status(202).header('location', locationOf(erasureId));
  return { erasure_id: erasureId };
}

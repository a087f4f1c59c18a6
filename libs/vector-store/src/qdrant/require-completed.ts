import type { Schemas } from '@qdrant/js-client-rest';
import { VectorStoreError } from '../vector-store-error.js';

/**
 * Accepts a write only when the server says that it is done.
 *
 * @throws VectorStoreError `unavailable` for `acknowledged` and `wait_timeout`: the write is queued, and neither a success nor a failure
 */
export function requireCompleted(result: Schemas['UpdateResult'], action: string): void {
  if (result.status === 'completed') return;
  throw new VectorStoreError('unavailable', `Qdrant reported "${result.status}" to ${action}: it may still be applied later`);
}

import { VectorStoreError } from '../vector-store-error.js';

/** @throws VectorStoreError `rejected` unless limit is a whole number from 1 and offset one from 0 */
export function assertPaging(limit: number, offset: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new VectorStoreError('rejected', 'limit must be 1 or more');
  if (!Number.isSafeInteger(offset) || offset < 0) throw new VectorStoreError('rejected', 'offset must be 0 or more');
}

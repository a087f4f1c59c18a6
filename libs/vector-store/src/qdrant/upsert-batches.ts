import type { VectorPoint } from '../vector-store.js';
import { VectorStoreError } from '../vector-store-error.js';

/** A conditional write drains the queue of its shard, so batches are as large as their filters stay cheap: 64 to 256 points are recommended. */
export const MAX_POINTS_PER_REQUEST = 128;

/** The server refuses bodies over 32 MiB with status 400; the rest of the room is for what the estimate leaves out. */
const MAX_BODY_BYTES = 30 * 1024 * 1024;

/** Nine digits, sign, point, exponent and comma. */
const MAX_BYTES_PER_COMPONENT = 17;

/** Keys, id and the point's term in the filter. */
const BYTES_PER_POINT = 400;

/**
 * Splits points into requests of at most 128 points and `maxBytes` of body, in their order.
 *
 * @throws VectorStoreError `rejected` for a point that no request can hold
 */
export function splitIntoRequests(points: readonly VectorPoint[], maxBytes = MAX_BODY_BYTES): VectorPoint[][] {
  const requests: VectorPoint[][] = [];
  let bytes = 0;
  for (const point of points) {
    const size = byteSizeBound(point);
    if (size > maxBytes)
      throw new VectorStoreError(
        'rejected',
        `Point ${point.id} is too large for one request (up to ${size} bytes, ${maxBytes} are allowed)`,
      );
    const current = requests.at(-1);
    if (current === undefined || current.length === MAX_POINTS_PER_REQUEST || bytes + size > maxBytes) {
      requests.push([point]);
      bytes = size;
    } else {
      current.push(point);
      bytes += size;
    }
  }
  return requests;
}

function byteSizeBound(point: VectorPoint): number {
  return BYTES_PER_POINT + point.vector.length * MAX_BYTES_PER_COMPONENT + Buffer.byteLength(JSON.stringify(point.payload));
}

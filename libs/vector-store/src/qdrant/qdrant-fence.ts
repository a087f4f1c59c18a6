import type { Schemas } from '@qdrant/js-client-rest';
import type { FencedDelete, VectorPoint } from '../vector-store.js';

/** A point without rev was written by nobody who fences; it never stands in the way. `is_empty` also holds for null. */
const HAS_NO_REV: Schemas['Condition'] = { is_empty: { key: 'rev' } };

/**
 * Lets each point of a batch replace only what is older than itself.
 *
 * A request has one filter, so the fence of each point is a term of its own, tied to it by its id. Qdrant applies the filter to those points of the request that exist;
 * the others are inserted. Ids must be unique within the batch: the filter sees the state before it, and the last duplicate would win.
 */
export function upsertFence(points: readonly VectorPoint[]): Schemas['Filter'] {
  return { should: [...points.map((point) => isOlder(point.id, point.payload.rev)), HAS_NO_REV] };
}

/** Selects the points to delete: each by its id, and only with content older than its rev (or without any rev). */
export function deleteSelection(deletes: readonly FencedDelete[]): Schemas['Filter'] {
  // Unlike an upsert, a delete is confined by nothing but its filter: every term must name ids.
  const withoutRev: Schemas['Filter'] = { must: [{ has_id: deletes.map(({ id }) => id) }, HAS_NO_REV] };
  return { should: [...deletes.map(({ id, rev }) => isOlder(id, rev)), withoutRev] };
}

function isOlder(id: string, rev: number): Schemas['Filter'] {
  return { must: [{ has_id: [id] }, { key: 'rev', range: { lt: rev } }] };
}

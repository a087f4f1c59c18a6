import type { Schemas } from '@qdrant/js-client-rest';
import type { FilterScalar, VectorFilter } from '../vector-filter.js';
import { VectorStoreError } from '../vector-store-error.js';
import { requireUuids } from './qdrant-points.js';

type Condition = Schemas['Condition'];

/** No point has one of no ids. An empty `should` would mean the contrary: Qdrant takes it for "no condition". */
const MATCHES_NOTHING: Condition = { has_id: [] };

/**
 * Translates a filter of the port for Qdrant.
 *
 * @throws VectorStoreError `rejected` for ids that are no UUIDs, and for numbers that are not finite: JSON would carry them as null, which means "no bound"
 */
export function toQdrantFilter(filter: VectorFilter | undefined): Schemas['Filter'] | undefined {
  return filter === undefined ? undefined : { must: [toCondition(filter)] };
}

function toCondition(filter: VectorFilter): Condition {
  switch (filter.kind) {
    case 'any':
      return anyOf(valueConditions(filter.field, filter.values));
    case 'range':
      return rangeCondition(filter.field, filter);
    case 'and':
      return { must: filter.filters.map(toCondition) };
    case 'or':
      return anyOf(filter.filters.map(toCondition));
    case 'not':
      return { must_not: [toCondition(filter.filter)] };
    case 'ids':
      requireUuids(filter.ids);
      return { has_id: [...filter.ids] };
  }
}

function anyOf(conditions: Condition[]): Condition {
  if (conditions.length === 0) return MATCHES_NOTHING;
  return conditions.length === 1 ? conditions[0]! : { should: conditions };
}

/** One request may hold values of one type only in `match.any`, booleans and fractions not at all; so each type gets its own condition. */
function valueConditions(field: string, values: readonly FilterScalar[]): Condition[] {
  const texts = values.filter((value) => typeof value === 'string');
  const conditions: Condition[] = texts.length === 0 ? [] : [{ key: field, match: { any: texts } }];
  for (const value of values) {
    if (typeof value === 'boolean') conditions.push({ key: field, match: { value } });
    // A range is served by integer and by float indexes alike; `match` only by the former.
    if (typeof value === 'number') conditions.push(rangeCondition(field, { gte: value, lte: value }));
  }
  return conditions;
}

type Bounds = { readonly gt?: number; readonly gte?: number; readonly lt?: number; readonly lte?: number };

function rangeCondition(field: string, { gt, gte, lt, lte }: Bounds): Condition {
  for (const bound of [gt, gte, lt, lte]) {
    if (bound !== undefined && !Number.isFinite(bound))
      throw new VectorStoreError('rejected', `The filter on "${field}" has a bound that is not finite`);
  }
  return { key: field, range: { gt, gte, lt, lte } };
}

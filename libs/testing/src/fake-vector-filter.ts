import type { VectorFilter, VectorPoint } from '#vector-store';

/** What a filter of the port means, in the plainest words. */
export function matchesFilter(point: VectorPoint, filter: VectorFilter | undefined): boolean {
  if (filter === undefined) return true;
  switch (filter.kind) {
    case 'any':
      return filter.values.some((value) => point.payload[filter.field] === value);
    case 'range': {
      const value = point.payload[filter.field];
      const { gt, gte, lt, lte } = filter;
      return (
        typeof value === 'number' &&
        !(gt !== undefined && value <= gt) &&
        !(gte !== undefined && value < gte) &&
        !(lt !== undefined && value >= lt) &&
        !(lte !== undefined && value > lte)
      );
    }
    case 'and':
      return filter.filters.every((part) => matchesFilter(point, part));
    case 'or':
      return filter.filters.some((part) => matchesFilter(point, part));
    case 'not':
      return !matchesFilter(point, filter.filter);
    case 'ids':
      return filter.ids.some((id) => id.toLowerCase() === point.id);
  }
}

/** All ids that the filter names, at any depth. */
export function idsOf(filter: VectorFilter | undefined): readonly string[] {
  switch (filter?.kind) {
    case 'ids':
      return filter.ids;
    case 'and':
    case 'or':
      return filter.filters.flatMap(idsOf);
    case 'not':
      return idsOf(filter.filter);
    default:
      return [];
  }
}

import type { VectorFilter } from '../vector-filter.js';
import { toQdrantFilter } from './qdrant-filter.js';

const ID = '00000000-0000-4000-8000-000000000001';

describe('toQdrantFilter', () => {
  it('is nothing without a filter', () => {
    expect(toQdrantFilter(undefined)).toBeUndefined();
  });

  it.each<[VectorFilter, unknown]>([
    [
      { kind: 'any', field: 'f', values: ['a', 'b'] },
      { key: 'f', match: { any: ['a', 'b'] } },
    ],
    [
      { kind: 'any', field: 'f', values: [true] },
      { key: 'f', match: { value: true } },
    ],
    [
      { kind: 'any', field: 'f', values: [2.5] },
      { key: 'f', range: { gte: 2.5, lte: 2.5 } },
    ],
    [
      { kind: 'any', field: 'f', values: ['a', 1, false] },
      {
        should: [
          { key: 'f', match: { any: ['a'] } },
          { key: 'f', range: { gte: 1, lte: 1 } },
          { key: 'f', match: { value: false } },
        ],
      },
    ],
    [
      { kind: 'range', field: 'f', gt: 1, lte: 2 },
      { key: 'f', range: { gt: 1, lte: 2 } },
    ],
    [{ kind: 'and', filters: [] }, { must: [] }],
    [{ kind: 'not', filter: { kind: 'ids', ids: [ID] } }, { must_not: [{ has_id: [ID] }] }],
    // An empty `should` would keep everything.
    [{ kind: 'or', filters: [] }, { has_id: [] }],
    [{ kind: 'any', field: 'f', values: [] }, { has_id: [] }],
  ])('translates %j', (filter, condition) => {
    expect(toQdrantFilter(filter)).toEqual({ must: [condition] });
  });

  it.each<VectorFilter>([
    { kind: 'range', field: 'f', gte: Number.NaN },
    { kind: 'range', field: 'f', lt: Number.POSITIVE_INFINITY },
    { kind: 'any', field: 'f', values: [Number.NaN] },
    { kind: 'ids', ids: [ID, '17'] },
  ])('refuses what JSON would turn into something else: %p', (filter) => {
    expect(() => toQdrantFilter(filter)).toThrow(expect.objectContaining({ kind: 'rejected' }));
  });
});

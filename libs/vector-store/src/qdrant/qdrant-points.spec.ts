import type { VectorPoint } from '../vector-store.js';
import { prepareDeletes, preparePoints, toScoredPoints, toStoredPoint } from './qdrant-points.js';

const ID = 'ABCDEF01-2345-4789-8ABC-DEFABCDEF012';

function point(
  overrides: { readonly id?: string; readonly rev?: number; readonly vector?: number[]; readonly price?: number } = {},
): VectorPoint {
  const payload = { rev: overrides.rev ?? 1, text_hash: 'a', payload_hash: 'b', model_rev: 'c', bucket: '12', price: overrides.price ?? 0 };
  return { id: overrides.id ?? ID, vector: Float32Array.from(overrides.vector ?? [1, 0]), payload };
}

describe('preparePoints', () => {
  it('keeps the highest rev of one id in any spelling', () => {
    const prepared = preparePoints([point({ rev: 3 }), point({ id: ID.toLowerCase(), rev: 7 }), point({ rev: 5 })]);
    expect(prepared).toEqual([expect.objectContaining({ id: ID.toLowerCase(), payload: expect.objectContaining({ rev: 7 }) })]);
  });

  it.each([
    ['a bad id', point({ id: '17' }), 'invalid-point'],
    ['rev 0', point({ rev: 0 }), 'invalid-point'],
    ['a rev beyond 2^53', point({ rev: 2 ** 53 }), 'invalid-point'],
    ['NaN', point({ vector: [Number.NaN, 1] }), 'invalid-point'],
    ['the zero vector', point({ vector: [0, 0] }), 'invalid-point'],
    ['a payload that is not finite', point({ price: Number.NaN }), 'invalid-point'],
    ['another length than the first', point({ vector: [1, 0, 0] }), 'dimension-mismatch'],
  ])('refuses %s', (_what, bad, kind) => {
    expect(() => preparePoints([point(), bad])).toThrow(expect.objectContaining({ kind }));
  });
});

describe('prepareDeletes', () => {
  it('keeps the highest rev of one id', () => {
    expect(
      prepareDeletes([
        { id: ID, rev: 2 },
        { id: ID.toLowerCase(), rev: 9 },
        { id: ID, rev: 4 },
      ]),
    ).toEqual([{ id: ID.toLowerCase(), rev: 9 }]);
  });
});

describe('toScoredPoints', () => {
  const scored = (id: string, score: number): { id: string; score: number; version: number } => ({ id, score, version: 1 });

  it('orders by score, then by id, and cuts rounding errors off', () => {
    const points = toScoredPoints([scored('c', 0.5), scored('b', 1.0000001), scored('a', 0.5), scored('d', -1.0000002)], undefined);
    expect(points).toEqual([
      { id: 'b', score: 1 },
      { id: 'a', score: 0.5 },
      { id: 'c', score: 0.5 },
      { id: 'd', score: -1 },
    ]);
  });

  it('keeps what equals the threshold in 32 bits', () => {
    expect(toScoredPoints([scored('a', 0.3), scored('b', 0.29999998)], 0.3)).toEqual([{ id: 'a', score: 0.3 }]);
  });
});

describe('toStoredPoint', () => {
  it('returns plain numbers where the client makes bigints', () => {
    const stored = toStoredPoint({ id: ID, payload: { rev: 1, huge: 2n ** 60n, nested: { list: [3n] } } });
    expect(stored.payload).toEqual({ rev: 1, huge: 2 ** 60, nested: { list: [3] } });
    expect(() => JSON.stringify(stored)).not.toThrow();
  });

  it('returns the named vector', () => {
    expect(toStoredPoint({ id: ID, payload: {}, vector: { text: [0.5, 1] } }).vector).toEqual(Float32Array.of(0.5, 1));
    expect(toStoredPoint({ id: ID, payload: {} })).not.toHaveProperty('vector');
  });
});

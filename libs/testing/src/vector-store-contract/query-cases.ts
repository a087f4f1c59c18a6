/// <reference types="jest" />
import type { ScoredPoint } from '#vector-store';
import { axis, expectKind, idOf, pointOf, randomUnit, randomUuid, seededRandom, unit, type ContractHarness } from './contract-harness.js';

/** Float32 sums in another order differ in the last digits. */
const SCORE_DIGITS = 5;

export function describeQueries(harness: ContractHarness): void {
  describeQuery(harness);
  describeQueryBatch(harness);
  describeManyPoints(harness);
}

/** Scores against the first axis: 1, 0.8, 0.6, 0, -1. */
function fan() {
  return [
    pointOf(idOf(1), axis(0)),
    pointOf(idOf(2), unit(0.8, 0.6, 0, 0)),
    pointOf(idOf(3), unit(0.6, 0.8, 0, 0)),
    pointOf(idOf(4), axis(1)),
    pointOf(idOf(5), axis(0, -1)),
  ];
}

const idsOf = (hits: readonly ScoredPoint[]) => hits.map(({ id }) => id);

function describeQuery(harness: ContractHarness): void {
  describe('query', () => {
    it('returns the cosine, best first', async () => {
      const collection = await harness.collection(fan());
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 10 });
      expect(idsOf(hits)).toEqual([1, 2, 3, 4, 5].map(idOf));
      [1, 0.8, 0.6, 0, -1].forEach((score, n) => expect(hits[n]!.score).toBeCloseTo(score, SCORE_DIGITS));
    });

    it('returns ids and scores only', async () => {
      const collection = await harness.collection(fan());
      const [hit] = await harness.store.query(collection, { vector: axis(0), limit: 1 });
      expect(Object.keys(hit!).sort()).toEqual(['id', 'score']);
    });

    it('answers an empty collection with nothing', async () => {
      const collection = await harness.collection();
      await expect(harness.store.query(collection, { vector: axis(0), limit: 3 })).resolves.toEqual([]);
    });

    it('returns at most `limit` points', async () => {
      const collection = await harness.collection(fan());
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 2 });
      expect(idsOf(hits)).toEqual([idOf(1), idOf(2)]);
    });

    it('skips the best `offset` points', async () => {
      const collection = await harness.collection(fan());
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 2, offset: 1 });
      expect(idsOf(hits)).toEqual([idOf(2), idOf(3)]);
    });

    it('returns nothing behind the last point', async () => {
      const collection = await harness.collection(fan());
      await expect(harness.store.query(collection, { vector: axis(0), limit: 2, offset: 5 })).resolves.toEqual([]);
      await expect(harness.store.query(collection, { vector: axis(0), limit: 2, offset: 500 })).resolves.toEqual([]);
    });

    it('keeps scores that equal the threshold', async () => {
      const collection = await harness.collection(fan());
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 10, threshold: 0 });
      expect(idsOf(hits)).toEqual([1, 2, 3, 4].map(idOf));
      const best = await harness.store.query(collection, { vector: axis(0), limit: 10, threshold: 1 });
      expect(idsOf(best)).toEqual([idOf(1)]);
      const all = await harness.store.query(collection, { vector: axis(0), limit: 10, threshold: -1 });
      expect(all).toHaveLength(5);
    });

    it('returns nothing when no score reaches the threshold', async () => {
      const collection = await harness.collection(fan().slice(1));
      await expect(harness.store.query(collection, { vector: axis(0), limit: 10, threshold: 0.9 })).resolves.toEqual([]);
    });

    it('applies the offset to what is left by the threshold', async () => {
      const collection = await harness.collection(fan());
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 10, offset: 1, threshold: 0.5 });
      expect(idsOf(hits)).toEqual([idOf(2), idOf(3)]);
    });

    it('orders equal scores by ascending id', async () => {
      const order = [7, 2, 9, 4, 1, 8];
      const collection = await harness.collection([
        ...order.map((n) => pointOf(idOf(n), axis(1))),
        pointOf(idOf(5), axis(0)),
        pointOf('ffffffff-0000-4000-8000-000000000000', axis(1)),
        pointOf('80000000-0000-4000-8000-000000000000', axis(1)),
      ]);
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 20 });
      expect(idsOf(hits)).toEqual([
        ...[5, 1, 2, 4, 7, 8, 9].map(idOf),
        '80000000-0000-4000-8000-000000000000',
        'ffffffff-0000-4000-8000-000000000000',
      ]);
    });

    it('stays within -1 and 1', async () => {
      const random = seededRandom(11);
      const vectors = Array.from({ length: 50 }, () => randomUnit(random, 4));
      const collection = await harness.collection(vectors.map((vector, n) => pointOf(idOf(n), vector)));
      for (const vector of vectors.slice(0, 10)) {
        for (const { score } of await harness.store.query(collection, { vector, limit: 50 })) {
          expect(Math.abs(score)).toBeLessThanOrEqual(1);
        }
      }
    });

    it('does not mind the length of the query vector', async () => {
      const collection = await harness.collection(fan());
      const hits = await harness.store.query(collection, { vector: Float32Array.of(5, 0, 0, 0), limit: 2 });
      expect(idsOf(hits)).toEqual([idOf(1), idOf(2)]);
      expect(hits[1]!.score).toBeCloseTo(0.8, SCORE_DIGITS);
    });

    it('reads a query vector that is part of a larger array, and leaves it alone', async () => {
      const collection = await harness.collection(fan());
      const larger = Float32Array.of(0, 1, 0, 0, 1, 0, 0, 0, 1);
      const hits = await harness.store.query(collection, { vector: larger.subarray(4, 8), limit: 1 });
      expect(hits).toEqual([{ id: idOf(1), score: 1 }]);
      expect(larger).toHaveLength(9);
    });

    it('refuses a query vector of another dimension', async () => {
      const collection = await harness.collection(fan());
      await expectKind(harness.store.query(collection, { vector: unit(1, 1), limit: 1 }), 'dimension-mismatch');
    });

    it.each([
      ['NaN', [Number.NaN, 0, 0, 0]],
      ['infinity', [0, Number.NEGATIVE_INFINITY, 0, 0]],
      ['the zero vector', [0, 0, 0, 0]],
    ])('refuses %s as query vector', async (_name, components) => {
      const collection = await harness.collection(fan());
      await expectKind(harness.store.query(collection, { vector: Float32Array.from(components), limit: 1 }), 'rejected');
    });

    it.each([
      ['limit 0', { limit: 0 }],
      ['limit 1.5', { limit: 1.5 }],
      ['offset -1', { limit: 1, offset: -1 }],
    ])('refuses %s', async (_name, paging) => {
      const collection = await harness.collection(fan());
      await expectKind(harness.store.query(collection, { vector: axis(0), ...paging }), 'rejected');
    });
  });
}

function describeQueryBatch(harness: ContractHarness): void {
  describe('query batch', () => {
    it('answers each query in its place, with its own limit, offset, threshold and filter', async () => {
      const collection = await harness.collection(fan());
      const answers = await harness.store.queryBatch(collection, [
        { vector: axis(1), limit: 1 },
        { vector: axis(0), limit: 10, threshold: 0.5 },
        { vector: axis(0), limit: 1, offset: 4 },
        { vector: axis(0), limit: 10, filter: { kind: 'ids', ids: [idOf(3)] } },
      ]);
      expect(answers.map(idsOf)).toEqual([[idOf(4)], [idOf(1), idOf(2), idOf(3)], [idOf(5)], [idOf(3)]]);
    });

    it('agrees with single queries', async () => {
      const collection = await harness.collection(fan());
      const queries = [0, 1, 2, 3].map((n) => ({ vector: axis(n), limit: 5 }));
      const single = await Promise.all(queries.map((query) => harness.store.query(collection, query)));
      await expect(harness.store.queryBatch(collection, queries)).resolves.toEqual(single);
    });

    it('answers no queries with no answers', async () => {
      const collection = await harness.collection(fan());
      await expect(harness.store.queryBatch(collection, [])).resolves.toEqual([]);
    });

    it('fails as a whole when one query is bad', async () => {
      const collection = await harness.collection(fan());
      const queries = [
        { vector: axis(0), limit: 1 },
        { vector: unit(1, 1), limit: 1 },
      ];
      await expectKind(harness.store.queryBatch(collection, queries), 'dimension-mismatch');
    });
  });
}

function describeManyPoints(harness: ContractHarness): void {
  it('finds the exact top 10 of 10,000 points (seed 42)', async () => {
    const random = seededRandom(42);
    // 32 dimensions stay below every threshold at which a server builds an approximate index: 10,000 x 128 bytes.
    const dimensions = 32;
    const points = Array.from({ length: 10_000 }, (_, n) =>
      pointOf(randomUuid(random), randomUnit(random, dimensions), {
        rev: n + 1,
        fields: { project_type: n % 10 === 0 ? 'rare' : 'common' },
      }),
    );
    const collection = await harness.collection([], dimensions);
    for (let from = 0; from < points.length; from += 250) await harness.store.upsert(collection, points.slice(from, from + 250));
    await expect(harness.store.count(collection)).resolves.toBe(10_000);

    const rare = points.filter(({ payload }) => payload['project_type'] === 'rare');
    for (let n = 0; n < 5; n++) {
      const vector = randomUnit(random, dimensions);
      expectSameRanking(await harness.store.query(collection, { vector, limit: 10 }), bruteForce(points, vector, 10));
      const filter = { kind: 'any', field: 'project_type', values: ['rare'] } as const;
      expectSameRanking(await harness.store.query(collection, { vector, limit: 10, filter }), bruteForce(rare, vector, 10));
    }
  }, 180_000);
}

function bruteForce(
  points: readonly { readonly id: string; readonly vector: Float32Array }[],
  query: Float32Array,
  limit: number,
): ScoredPoint[] {
  return points
    .map(({ id, vector }) => ({ id, score: vector.reduce((sum, component, i) => sum + component * query[i]!, 0) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

function expectSameRanking(hits: readonly ScoredPoint[], expected: readonly ScoredPoint[]): void {
  expect(idsOf(hits)).toEqual(idsOf(expected));
  hits.forEach(({ score }, n) => expect(score).toBeCloseTo(expected[n]!.score, SCORE_DIGITS));
}

/// <reference types="jest" />
import { axis, expectKind, expectPermanent, idOf, pointOf, unit, type ContractHarness } from './contract-harness.js';

const SCORE_DIGITS = 5;

function examples() {
  return [
    pointOf(idOf(1), axis(0), { fields: { project_type: 'kitchen' } }),
    pointOf(idOf(2), axis(1), { fields: { project_type: 'kitchen' } }),
    pointOf(idOf(3), unit(0.9, 0.1, 0, 0), { fields: { project_type: 'stairs' } }),
    pointOf(idOf(4), unit(1, 1, 0, 0), { fields: { project_type: 'kitchen' } }),
    pointOf(idOf(5), axis(2), { fields: { project_type: 'stairs' } }),
  ];
}

export function describeRecommendations(harness: ContractHarness): void {
  describe('recommend', () => {
    let collection: string;
    beforeAll(async () => {
      collection = await harness.collection(examples());
    });
    const recommend = (query: Parameters<typeof harness.store.recommend>[1]) => harness.store.recommend(collection, query);

    it('finds the points like one example, without the example', async () => {
      const hits = await recommend({ positive: [idOf(1)], limit: 10 });
      expect(hits.map(({ id }) => id)).toEqual([idOf(3), idOf(4), idOf(2), idOf(5)]);
      expect(hits[0]!.score).toBeCloseTo(0.9 / Math.hypot(0.9, 0.1), SCORE_DIGITS);
    });

    it('searches around the mean of several examples', async () => {
      const hits = await recommend({ positive: [idOf(1), idOf(2)], limit: 2 });
      expect(hits.map(({ id }) => id)).toEqual([idOf(4), idOf(3)]);
      expect(hits[0]!.score).toBeCloseTo(1, SCORE_DIGITS);
    });

    it('moves away from negative examples: 2 x mean(positive) - mean(negative)', async () => {
      const hits = await recommend({ positive: [idOf(1)], negative: [idOf(2), idOf(5)], limit: 10 });
      // The target is (2, -0.5, -0.5, 0).
      const norm = Math.hypot(2, 0.5, 0.5);
      expect(hits.map(({ id }) => id)).toEqual([idOf(3), idOf(4)]);
      expect(hits[0]!.score).toBeCloseTo((2 * 0.9 - 0.5 * 0.1) / Math.hypot(0.9, 0.1) / norm, SCORE_DIGITS);
      expect(hits[1]!.score).toBeCloseTo(1.5 / Math.SQRT2 / norm, SCORE_DIGITS);
    });

    it('applies filter, threshold, limit and offset', async () => {
      const filter = { kind: 'any', field: 'project_type', values: ['kitchen'] } as const;
      const hits = await recommend({ positive: [idOf(1)], limit: 5, filter });
      expect(hits.map(({ id }) => id)).toEqual([idOf(4), idOf(2)]);
      const second = await recommend({ positive: [idOf(1)], limit: 1, offset: 1 });
      expect(second.map(({ id }) => id)).toEqual([idOf(4)]);
      const near = await recommend({ positive: [idOf(1)], limit: 5, threshold: 0.9 });
      expect(near.map(({ id }) => id)).toEqual([idOf(3)]);
    });

    it('takes ids in upper case', async () => {
      const upper = 'ABCDEF01-2345-4789-8ABC-DEFABCDEF012';
      const own = await harness.collection([pointOf(upper, axis(0)), pointOf(idOf(1), axis(1))]);
      const hits = await harness.store.recommend(own, { positive: [upper], limit: 5 });
      expect(hits.map(({ id }) => id)).toEqual([idOf(1)]);
    });

    it('fails with point-missing when a positive example is unknown', async () => {
      await expectKind(recommend({ positive: [idOf(1), idOf(99)], limit: 1 }), 'point-missing');
    });

    it('fails with point-missing when a negative example is unknown', async () => {
      await expectKind(recommend({ positive: [idOf(1)], negative: [idOf(99)], limit: 1 }), 'point-missing');
    });

    it('refuses to recommend without a positive example', async () => {
      await expectKind(recommend({ positive: [], negative: [idOf(1)], limit: 1 }), 'rejected');
    });

    it('refuses a bad id', async () => {
      await expectPermanent(recommend({ positive: ['nope'], limit: 1 }));
    });
  });
}

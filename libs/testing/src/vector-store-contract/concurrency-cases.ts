/// <reference types="jest" />
import { axis, idOf, pointOf, seededRandom, type ContractHarness } from './contract-harness.js';

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

export function describeConcurrency(harness: ContractHarness): void {
  describe('concurrent writes', () => {
    it('end with the highest rev of one id, whole (seed 3)', async () => {
      const collection = await harness.collection();
      const revs = shuffled(
        Array.from({ length: 24 }, (_, n) => n + 1),
        seededRandom(3),
      );
      await Promise.all(
        revs.map((rev) => harness.store.upsert(collection, [pointOf(idOf(1), axis(rev % 4), { rev, fields: { note: `rev ${rev}` } })])),
      );
      const stored = await harness.store.retrieve(collection, [idOf(1)], { hasVectors: true });
      expect(stored).toHaveLength(1);
      expect(stored[0]!.payload).toMatchObject({ rev: 24, note: 'rev 24' });
      expect([...stored[0]!.vector!]).toEqual([...axis(0)]);
    });

    it('end with the highest rev of every id of overlapping batches (seed 4)', async () => {
      const collection = await harness.collection();
      const random = seededRandom(4);
      const batches = Array.from({ length: 8 }, (_, batch) =>
        shuffled(
          Array.from({ length: 20 }, (_unused, n) => pointOf(idOf(n + batch), axis(0), { rev: batch + 1 })),
          random,
        ),
      );
      await Promise.all(shuffled(batches, random).map((points) => harness.store.upsert(collection, points)));
      const { points } = await harness.store.scroll(collection, { limit: 100 });
      expect(points).toHaveLength(27);
      points.forEach(({ payload }, n) => expect(payload.rev).toBe(Math.min(n, 7) + 1));
    });

    it('never lose a newer point to an older delete', async () => {
      const collection = await harness.collection(Array.from({ length: 10 }, (_, n) => pointOf(idOf(n), axis(0), { rev: 1 })));
      await Promise.all([
        harness.store.upsert(
          collection,
          Array.from({ length: 10 }, (_, n) => pointOf(idOf(n), axis(1), { rev: 3 })),
        ),
        harness.store.delete(
          collection,
          Array.from({ length: 10 }, (_, n) => ({ id: idOf(n), rev: 2 })),
        ),
      ]);
      const { points } = await harness.store.scroll(collection, { limit: 100 });
      expect(points.map(({ payload }) => payload.rev)).toEqual(Array.from({ length: 10 }, () => 3));
    });

    it('leave queries consistent: a score belongs to some version of the point', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 1 })]);
      const writes = Array.from({ length: 10 }, (_, n) =>
        harness.store.upsert(collection, [pointOf(idOf(1), axis(n % 2), { rev: n + 2 })]),
      );
      const reads = Array.from({ length: 10 }, () => harness.store.query(collection, { vector: axis(0), limit: 5 }));
      for (const hits of await Promise.all(reads)) {
        expect(hits).toHaveLength(1);
        expect([0, 1]).toContain(hits[0]!.score);
      }
      await Promise.all(writes);
      await expect(harness.rev(collection, idOf(1))).resolves.toBe(11);
    });
  });
}

/// <reference types="jest" />
import { types } from 'node:util';
import type { StoredPoint } from '#vector-store';
import { axis, expectPermanent, idOf, pointOf, randomUnit, randomUuid, seededRandom, type ContractHarness } from './contract-harness.js';

export function describeReads(harness: ContractHarness): void {
  describeScroll(harness);
  describeRetrieve(harness);
  describeCounts(harness);
}

/** The test runner has globals of its own, so `instanceof` says no to an array that came from a thread. */
function isFloat32Array(value: unknown): boolean {
  return types.isFloat32Array(value);
}

async function scrollAll(harness: ContractHarness, collection: string, limit: number): Promise<StoredPoint[][]> {
  const pages: StoredPoint[][] = [];
  let after: string | undefined;
  for (;;) {
    const page = await harness.store.scroll(collection, after === undefined ? { limit } : { limit, after });
    pages.push(page.points);
    if (page.next === null) return pages;
    after = page.next;
  }
}

function describeScroll(harness: ContractHarness): void {
  describe('scroll', () => {
    it("goes through the ids in the order of their bytes, which is PostgreSQL's (seed 7)", async () => {
      const random = seededRandom(7);
      const ids = Array.from({ length: 300 }, () => randomUuid(random));
      const collection = await harness.collection(ids.map((id) => pointOf(id, axis(0))));
      const bytes = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');
      const expected = [...ids].sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
      const pages = await scrollAll(harness, collection, 64);
      expect(pages.flat().map(({ id }) => id)).toEqual(expected);
    });

    it.each([1, 3, 6, 7])('pages by %d without loss or repetition', async (limit) => {
      const ids = [1, 2, 3, 4, 5, 6].map(idOf);
      const collection = await harness.collection(ids.map((id) => pointOf(id, axis(0))));
      const pages = await scrollAll(harness, collection, limit);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
      expect(pages.every((page) => page.length <= limit)).toBe(true);
    });

    it('continues behind an id, whether or not it exists', async () => {
      const collection = await harness.collection([2, 4, 6].map((n) => pointOf(idOf(n), axis(0))));
      const idsBehind = async (after: string) => (await harness.store.scroll(collection, { after, limit: 10 })).points.map(({ id }) => id);
      await expect(idsBehind(idOf(2))).resolves.toEqual([idOf(4), idOf(6)]);
      await expect(idsBehind(idOf(3))).resolves.toEqual([idOf(4), idOf(6)]);
      await expect(idsBehind(idOf(6))).resolves.toEqual([]);
      await expect(idsBehind(idOf(10).toUpperCase())).resolves.toEqual([]);
      await expect(idsBehind('ffffffff-ffff-ffff-ffff-ffffffffffff')).resolves.toEqual([]);
    });

    it('sees what was written and deleted between pages', async () => {
      const collection = await harness.collection([1, 2, 4, 5].map((n) => pointOf(idOf(n), axis(0))));
      const first = await harness.store.scroll(collection, { limit: 2 });
      await harness.store.upsert(collection, [pointOf(idOf(3), axis(0))]);
      await harness.store.delete(collection, [{ id: idOf(4), rev: 9 }]);
      const second = await harness.store.scroll(collection, { limit: 10, after: first.next! });
      expect(second.points.map(({ id }) => id)).toEqual([idOf(3), idOf(5)]);
    });

    it('pages through what a filter leaves', async () => {
      const points = Array.from({ length: 10 }, (_, n) => pointOf(idOf(n), axis(0), { fields: { complexity: n % 2 } }));
      const collection = await harness.collection(points);
      const filter = { kind: 'any', field: 'complexity', values: [1] } as const;
      const first = await harness.store.scroll(collection, { limit: 3, filter });
      const second = await harness.store.scroll(collection, { limit: 3, filter, after: first.next! });
      expect([...first.points, ...second.points].map(({ id }) => id)).toEqual([1, 3, 5, 7, 9].map(idOf));
    });

    it('returns payloads, and vectors only when asked', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(2), { rev: 3 })]);
      const bare = await harness.store.scroll(collection, { limit: 1 });
      expect(bare.points[0]!.payload).toMatchObject({ rev: 3, bucket: '01' });
      expect(bare.points[0]!.vector).toBeUndefined();
      const full = await harness.store.scroll(collection, { limit: 1, hasVectors: true });
      expect(isFloat32Array(full.points[0]!.vector)).toBe(true);
      expect([...full.points[0]!.vector!]).toEqual([0, 0, 1, 0]);
    });

    it('ends at once in an empty collection', async () => {
      const collection = await harness.collection();
      await expect(harness.store.scroll(collection, { limit: 5 })).resolves.toEqual({ points: [], next: null });
    });

    it('reads slices that together are everything, once, each in order (seed 11), or refuses them', async () => {
      const random = seededRandom(11);
      const ids = Array.from({ length: 60 }, () => randomUuid(random)).sort();
      const collection = await harness.collection(ids.map((id, n) => pointOf(id, axis(0), { fields: { complexity: n % 2 } })));
      const total = harness.store.parallelSlices;
      if (total === 1) {
        await expectPermanent(harness.store.scroll(collection, { limit: 5, slice: { total: 2, index: 0 } }));
        return;
      }
      const slices: string[][] = [];
      for (let index = 0; index < total; index++) {
        const found: string[] = [];
        for (let after: string | undefined; ;) {
          const page = await harness.store.scroll(collection, { limit: 7, after, slice: { total, index } });
          found.push(...page.points.map(({ id }) => id));
          if (page.next === null) break;
          after = page.next;
        }
        expect(found).toEqual([...found].sort());
        slices.push(found);
      }
      expect(slices.every((slice) => slice.length > 0)).toBe(true);
      expect(slices.flat().sort()).toEqual(ids);
      const filter = { kind: 'any', field: 'complexity', values: [1] } as const;
      const filtered = await harness.store.scroll(collection, { limit: 100, filter, slice: { total, index: 0 } });
      expect(filtered.points.map(({ id }) => id)).toEqual(slices[0]!.filter((id) => ids.indexOf(id) % 2 === 1));
      await expectPermanent(harness.store.scroll(collection, { limit: 5, slice: { total, index: total } }));
    });

    it('refuses a bad start', async () => {
      const collection = await harness.collection();
      await expectPermanent(harness.store.scroll(collection, { limit: 5, after: 'nope' }));
      await expectPermanent(harness.store.scroll(collection, { limit: 0 }));
    });
  });
}

function describeRetrieve(harness: ContractHarness): void {
  describe('retrieve', () => {
    it('returns the points that exist', async () => {
      const collection = await harness.collection([1, 2, 3].map((n) => pointOf(idOf(n), axis(0), { rev: n })));
      const stored = await harness.store.retrieve(collection, [idOf(3), idOf(99), idOf(1)]);
      expect(stored.map(({ id, payload }) => [id, payload.rev]).sort()).toEqual([
        [idOf(1), 1],
        [idOf(3), 3],
      ]);
    });

    it('returns no vectors unless asked', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      const [stored] = await harness.store.retrieve(collection, [idOf(1)]);
      expect(stored!.vector).toBeUndefined();
    });

    it('returns vectors to float32 precision (seed 5)', async () => {
      const random = seededRandom(5);
      const points = Array.from({ length: 20 }, (_, n) => pointOf(idOf(n), randomUnit(random, 16)));
      const collection = await harness.collection(points, 16);
      const stored = await harness.store.retrieve(
        collection,
        points.map(({ id }) => id),
        { hasVectors: true },
      );
      expect(stored).toHaveLength(20);
      for (const { id, vector } of stored) {
        const expected = points.find((point) => point.id === id)!.vector;
        expect(isFloat32Array(vector)).toBe(true);
        // A server that normalises again changes the last bit.
        vector!.forEach((component, i) => expect(Math.abs(component - expected[i]!)).toBeLessThan(1e-6));
      }
    });

    it('returns a point once, however often it is asked for', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await expect(harness.store.retrieve(collection, [idOf(1), idOf(1).toUpperCase()])).resolves.toHaveLength(1);
    });

    it('returns nothing for no ids', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await expect(harness.store.retrieve(collection, [])).resolves.toEqual([]);
    });

    it('refuses a bad id', async () => {
      const collection = await harness.collection();
      await expectPermanent(harness.store.retrieve(collection, ['nope']));
    });
  });
}

function describeCounts(harness: ContractHarness): void {
  describe('count', () => {
    it('counts all points exactly', async () => {
      const collection = await harness.collection([1, 2, 3].map((n) => pointOf(idOf(n), axis(0))));
      await expect(harness.store.count(collection)).resolves.toBe(3);
      await harness.store.delete(collection, [{ id: idOf(1), rev: 9 }]);
      await expect(harness.store.count(collection)).resolves.toBe(2);
    });

    it('counts what a filter keeps', async () => {
      const points = Array.from({ length: 25 }, (_, n) => pointOf(idOf(n), axis(0), { fields: { complexity: n % 5 } }));
      const collection = await harness.collection(points);
      await expect(harness.store.count(collection, { kind: 'range', field: 'complexity', gte: 3 })).resolves.toBe(10);
    });

    it('counts per bucket exactly', async () => {
      const points = Array.from({ length: 600 }, (_, n) => pointOf(idOf(n), axis(0)));
      const collection = await harness.collection(points);
      const counts = await harness.store.countByBucket(collection);
      expect(counts.size).toBe(256);
      expect(counts.get('00')).toBe(3);
      expect(counts.get('57')).toBe(3);
      expect(counts.get('58')).toBe(2);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(600);
    });

    it('leaves out buckets that have become empty', async () => {
      const collection = await harness.collection([1, 2].map((n) => pointOf(idOf(n), axis(0))));
      await harness.store.delete(collection, [{ id: idOf(1), rev: 9 }]);
      const counts = await harness.store.countByBucket(collection);
      expect([...counts]).toEqual([['02', 1]]);
    });

    it('has no buckets in an empty collection', async () => {
      const collection = await harness.collection();
      const counts = await harness.store.countByBucket(collection);
      expect(counts.size).toBe(0);
    });
  });
}

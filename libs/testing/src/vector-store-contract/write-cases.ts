/// <reference types="jest" />
import { axis, expectKind, idOf, pointOf, unit, type ContractHarness } from './contract-harness.js';

const UPPER_CASE = 'ABCDEF01-2345-4789-8ABC-DEFABCDEF012';

export function describeWrites(harness: ContractHarness): void {
  describeIds(harness);
  describeUpsert(harness);
  describeRefusals(harness);
  describeDelete(harness);
}

function describeIds(harness: ContractHarness): void {
  describe('ids', () => {
    it('takes ids in upper case and returns them in lower case', async () => {
      const collection = await harness.collection([pointOf(UPPER_CASE, axis(0))]);
      const lower = UPPER_CASE.toLowerCase();
      await expect(harness.ids(collection)).resolves.toEqual([lower]);
      const [hit] = await harness.store.query(collection, { vector: axis(0), limit: 1 });
      expect(hit!.id).toBe(lower);
      const [stored] = await harness.store.retrieve(collection, [UPPER_CASE]);
      expect(stored!.id).toBe(lower);
    });

    it('treats both spellings of an id as one point', async () => {
      const collection = await harness.collection([pointOf(UPPER_CASE, axis(0), { rev: 1 })]);
      await harness.store.upsert(collection, [pointOf(UPPER_CASE.toLowerCase(), axis(1), { rev: 2 })]);
      await expect(harness.store.count(collection)).resolves.toBe(1);
      await harness.store.delete(collection, [{ id: UPPER_CASE, rev: 3 }]);
      await expect(harness.store.count(collection)).resolves.toBe(0);
    });

    it.each(['nope', '', '00000000-0000-4000-8000-00000000000', '00000000000040008000000000000001', '17'])(
      'refuses to write the id %j',
      async (id) => {
        const collection = await harness.collection();
        await expectKind(harness.store.upsert(collection, [pointOf(id, axis(0))]), 'invalid-point');
      },
    );

    it('refuses to delete a bad id', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await expectKind(
        harness.store.delete(collection, [
          { id: idOf(1), rev: 9 },
          { id: 'nope', rev: 9 },
        ]),
        'invalid-point',
      );
      await expect(harness.ids(collection)).resolves.toEqual([idOf(1)]);
    });
  });
}

function describeUpsert(harness: ContractHarness): void {
  describe('upsert', () => {
    it('can be searched when it resolves', async () => {
      const collection = await harness.collection();
      await harness.store.upsert(collection, [pointOf(idOf(1), axis(0))]);
      await expect(harness.store.query(collection, { vector: axis(0), limit: 5 })).resolves.toEqual([{ id: idOf(1), score: 1 }]);
    });

    it('keeps every kind of payload value', async () => {
      const fields = { text: 'Küche „Eiche“ 🪵', integer: -7, float: 0.1, large: 1e15, yes: true, no: false, nothing: null, empty: '' };
      const point = pointOf(idOf(1), axis(0), { fields });
      const collection = await harness.collection([point]);
      const [stored] = await harness.store.retrieve(collection, [idOf(1)]);
      expect(stored!.payload).toEqual(point.payload);
    });

    it('does nothing for an empty batch', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0))]);
      await harness.store.upsert(collection, []);
      await expect(harness.store.count(collection)).resolves.toBe(1);
    });

    it('leaves the caller its vectors, and is not touched by what the caller does with them later', async () => {
      const collection = await harness.collection();
      const shared = new Float32Array([9, 9, 0, 0, 1, 0, 9]);
      const vector = shared.subarray(2, 6);
      await harness.store.upsert(collection, [pointOf(idOf(1), vector)]);
      expect([...shared]).toEqual([9, 9, 0, 0, 1, 0, 9]);
      vector.set([1, 0, 0, 0]);
      await expect(harness.store.query(collection, { vector: axis(2), limit: 1 })).resolves.toEqual([{ id: idOf(1), score: 1 }]);
    });

    it('refuses an older rev silently', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5, fields: { note: 'new' } })]);
      await harness.store.upsert(collection, [pointOf(idOf(1), axis(1), { rev: 4, fields: { note: 'old' } })]);
      const [stored] = await harness.store.retrieve(collection, [idOf(1)], { hasVectors: true });
      expect(stored!.payload).toMatchObject({ rev: 5, note: 'new' });
      expect([...stored!.vector!]).toEqual([1, 0, 0, 0]);
    });

    it('refuses an equal rev silently', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5, fields: { note: 'first' } })]);
      await harness.store.upsert(collection, [pointOf(idOf(1), axis(1), { rev: 5, fields: { note: 'second' } })]);
      const [stored] = await harness.store.retrieve(collection, [idOf(1)]);
      expect(stored!.payload['note']).toBe('first');
    });

    it('replaces the whole point with a newer rev', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5, fields: { note: 'old', gone: 1 } })]);
      const newer = pointOf(idOf(1), axis(1), { rev: 6, fields: { note: 'new' } });
      await harness.store.upsert(collection, [newer]);
      const [stored] = await harness.store.retrieve(collection, [idOf(1)], { hasVectors: true });
      expect(stored!.payload).toEqual(newer.payload);
      expect([...stored!.vector!]).toEqual([0, 1, 0, 0]);
      await expect(harness.store.count(collection)).resolves.toBe(1);
    });

    it('fences every point of a mixed batch by its own rev', async () => {
      const collection = await harness.collection([1, 2, 3].map((n) => pointOf(idOf(n), axis(0), { rev: 10 })));
      await harness.store.upsert(collection, [
        pointOf(idOf(1), axis(1), { rev: 9 }),
        pointOf(idOf(2), axis(1), { rev: 10 }),
        pointOf(idOf(3), axis(1), { rev: 11 }),
        pointOf(idOf(4), axis(1), { rev: 1 }),
      ]);
      const hits = await harness.store.query(collection, { vector: axis(1), limit: 10, threshold: 0.5 });
      expect(hits.map(({ id }) => id)).toEqual([idOf(3), idOf(4)]);
      await expect(harness.rev(collection, idOf(3))).resolves.toBe(11);
    });

    it('takes the highest rev of equal ids in one batch, wherever it stands', async () => {
      const collection = await harness.collection();
      const revs = [3, 7, 5];
      await harness.store.upsert(
        collection,
        revs.map((rev) => pointOf(rev === 5 ? UPPER_CASE.toLowerCase() : UPPER_CASE, axis(0), { rev, fields: { note: `rev ${rev}` } })),
      );
      const [stored] = await harness.store.retrieve(collection, [UPPER_CASE]);
      expect(stored!.payload).toMatchObject({ rev: 7, note: 'rev 7' });
      await expect(harness.store.count(collection)).resolves.toBe(1);
    });

    it('tells neighbouring revs apart up to the largest safe integer', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: Number.MAX_SAFE_INTEGER - 1 })]);
      await harness.store.upsert(collection, [pointOf(idOf(1), axis(1), { rev: Number.MAX_SAFE_INTEGER })]);
      await expect(harness.rev(collection, idOf(1))).resolves.toBe(Number.MAX_SAFE_INTEGER);
    });

    it('writes a batch of 700 points', async () => {
      const points = Array.from({ length: 700 }, (_, n) => pointOf(idOf(n), axis(n % 4), { rev: n + 1 }));
      const collection = await harness.collection(points);
      await expect(harness.store.count(collection)).resolves.toBe(700);
      await expect(harness.rev(collection, idOf(699))).resolves.toBe(700);
    });
  });
}

function describeRefusals(harness: ContractHarness): void {
  describe('refused points', () => {
    it.each([
      ['NaN', [Number.NaN, 0, 0, 0]],
      ['infinity', [Number.POSITIVE_INFINITY, 0, 0, 0]],
      ['the zero vector', [0, 0, 0, 0]],
      ['a vector that is too long', [2, 0, 0, 0]],
      ['a vector that is too short', [0.9, 0, 0, 0]],
    ])('refuses %s and writes nothing of the batch', async (_name, components) => {
      const collection = await harness.collection();
      const points = [pointOf(idOf(1), axis(0)), pointOf(idOf(2), Float32Array.from(components))];
      await expectKind(harness.store.upsert(collection, points), 'invalid-point');
      await expect(harness.store.count(collection)).resolves.toBe(0);
    });

    it('refuses another dimension and writes nothing of the batch', async () => {
      const collection = await harness.collection();
      const points = [pointOf(idOf(1), axis(0)), pointOf(idOf(2), unit(1, 1))];
      await expectKind(harness.store.upsert(collection, points), 'dimension-mismatch');
      await expect(harness.store.count(collection)).resolves.toBe(0);
    });

    it.each([0, -1, 1.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1])('refuses the rev %d', async (rev) => {
      const collection = await harness.collection();
      await expectKind(harness.store.upsert(collection, [pointOf(idOf(1), axis(0), { rev })]), 'invalid-point');
      await expect(harness.store.count(collection)).resolves.toBe(0);
    });
  });
}

function describeDelete(harness: ContractHarness): void {
  describe('delete', () => {
    it('removes a point whose rev is lower', async () => {
      const collection = await harness.collection([1, 2].map((n) => pointOf(idOf(n), axis(0), { rev: 5 })));
      await harness.store.delete(collection, [{ id: idOf(1), rev: 6 }]);
      await expect(harness.ids(collection)).resolves.toEqual([idOf(2)]);
      await expect(harness.store.query(collection, { vector: axis(0), limit: 5 })).resolves.toEqual([{ id: idOf(2), score: 1 }]);
    });

    it.each([5, 4])('keeps a point of rev 5 when the delete carries %d', async (rev) => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5 })]);
      await harness.store.delete(collection, [{ id: idOf(1), rev }]);
      await expect(harness.rev(collection, idOf(1))).resolves.toBe(5);
    });

    it('fences every entry of a batch by its own rev', async () => {
      const collection = await harness.collection([1, 2, 3].map((n) => pointOf(idOf(n), axis(0), { rev: 5 })));
      await harness.store.delete(collection, [
        { id: idOf(1), rev: 6 },
        { id: idOf(2), rev: 5 },
        { id: idOf(3), rev: 100 },
      ]);
      await expect(harness.ids(collection)).resolves.toEqual([idOf(2)]);
    });

    it('deletes when one of several entries for the id is newer', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5 })]);
      await harness.store.delete(collection, [
        { id: idOf(1), rev: 9 },
        { id: idOf(1), rev: 1 },
      ]);
      await expect(harness.rev(collection, idOf(1))).resolves.toBeNull();
    });

    it('takes absent ids and empty batches', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5 })]);
      await harness.store.delete(collection, []);
      await harness.store.delete(collection, [{ id: idOf(9), rev: 6 }]);
      await expect(harness.ids(collection)).resolves.toEqual([idOf(1)]);
    });

    it('lets a late upsert re-create the point: only the ledger prevents that', async () => {
      const collection = await harness.collection([pointOf(idOf(1), axis(0), { rev: 5 })]);
      await harness.store.delete(collection, [{ id: idOf(1), rev: 6 }]);
      await harness.store.upsert(collection, [pointOf(idOf(1), axis(0), { rev: 5 })]);
      await expect(harness.rev(collection, idOf(1))).resolves.toBe(5);
    });

    it('keeps the other points whole', async () => {
      const points = [0, 1, 2, 3].map((n) => pointOf(idOf(n), axis(n), { rev: 5, fields: { n } }));
      const collection = await harness.collection(points);
      await harness.store.delete(collection, [{ id: idOf(1), rev: 6 }]);
      const stored = await harness.store.retrieve(
        collection,
        points.map(({ id }) => id),
        { hasVectors: true },
      );
      const byId = new Map(stored.map((point) => [point.id, point]));
      expect([...byId.keys()].sort()).toEqual([idOf(0), idOf(2), idOf(3)]);
      for (const n of [0, 2, 3]) {
        expect(byId.get(idOf(n))!.payload['n']).toBe(n);
        expect([...byId.get(idOf(n))!.vector!]).toEqual([...axis(n)]);
      }
    });
  });
}

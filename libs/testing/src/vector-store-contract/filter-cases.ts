/// <reference types="jest" />
import type { PayloadValue, VectorFilter } from '#vector-store';
import { axis, expectPermanent, idOf, pointOf, unit, type ContractHarness } from './contract-harness.js';

/** What each filter keeps of {@link samples}, by number. */
const CASES: readonly [string, VectorFilter, readonly number[]][] = [
  ['any: one keyword', { kind: 'any', field: 'project_type', values: ['kitchen'] }, [1, 2]],
  ['any: several keywords', { kind: 'any', field: 'project_type', values: ['kitchen', 'roof'] }, [1, 2, 4]],
  ['any: unknown keyword', { kind: 'any', field: 'project_type', values: ['boat'] }, []],
  ['any: keywords are compared whole', { kind: 'any', field: 'project_type', values: ['kitch', 'Kitchen'] }, []],
  ['any: integer', { kind: 'any', field: 'complexity', values: [2, 3] }, [2, 3]],
  ['any: float', { kind: 'any', field: 'final_price', values: [100.5] }, [1]],
  ['any: whole number in a float field', { kind: 'any', field: 'final_price', values: [200] }, [2]],
  ['any: negative float', { kind: 'any', field: 'final_price', values: [-0.25] }, [4]],
  ['any: boolean', { kind: 'any', field: 'archived', values: [true] }, [1]],
  ['any: false is a value', { kind: 'any', field: 'archived', values: [false] }, [2]],
  ['any: mixed types', { kind: 'any', field: 'mixed', values: ['x', 7, 1.5, true] }, [1, 2, 3, 4]],
  ['any: a number is not its text', { kind: 'any', field: 'mixed', values: ['7', 'true'] }, []],
  ['any: a missing field', { kind: 'any', field: 'nowhere', values: ['x', 1, true] }, []],
  ['range: gte and lt', { kind: 'range', field: 'final_price', gte: 100.5, lt: 300 }, [1, 2]],
  ['range: gt and lte', { kind: 'range', field: 'final_price', gt: 100.5, lte: 300 }, [2, 3]],
  ['range: one bound', { kind: 'range', field: 'final_price', lt: 0 }, [4]],
  ['range: one value', { kind: 'range', field: 'final_price', gte: 100.5, lte: 100.5 }, [1]],
  ['range: empty interval', { kind: 'range', field: 'final_price', gt: 200, lt: 200 }, []],
  ['range: integer field', { kind: 'range', field: 'complexity', gte: 2, lte: 3 }, [2, 3]],
  ['range: integer field, bound between', { kind: 'range', field: 'complexity', gt: 1.5, lt: 3.5 }, [2, 3]],
  ['range: integer field, gte between', { kind: 'range', field: 'complexity', gte: 2.5 }, [3, 4]],
  ['range: integer field, lte between', { kind: 'range', field: 'complexity', lte: 2.5 }, [1, 2]],
  ['range: a field of text', { kind: 'range', field: 'project_type', gte: 0 }, []],
  ['range: a missing field', { kind: 'range', field: 'nowhere', gte: 0 }, []],
  ['range: rev', { kind: 'range', field: 'rev', gt: 3 }, [4, 5]],
  ['and: empty keeps everything', { kind: 'and', filters: [] }, [1, 2, 3, 4, 5]],
  [
    'and: all hold',
    {
      kind: 'and',
      filters: [
        { kind: 'any', field: 'project_type', values: ['kitchen'] },
        { kind: 'range', field: 'final_price', gt: 150 },
      ],
    },
    [2],
  ],
  ['or: empty keeps nothing', { kind: 'or', filters: [] }, []],
  [
    'or: one holds',
    {
      kind: 'or',
      filters: [
        { kind: 'any', field: 'project_type', values: ['roof'] },
        { kind: 'any', field: 'complexity', values: [1] },
      ],
    },
    [1, 4],
  ],
  ['not: a missing or null field passes', { kind: 'not', filter: { kind: 'any', field: 'project_type', values: ['kitchen'] } }, [3, 4, 5]],
  ['not: of a range', { kind: 'not', filter: { kind: 'range', field: 'final_price', gte: 0 } }, [4, 5]],
  ['not: of everything', { kind: 'not', filter: { kind: 'and', filters: [] } }, []],
  ['not: of nothing', { kind: 'not', filter: { kind: 'or', filters: [] } }, [1, 2, 3, 4, 5]],
  ['not: twice', { kind: 'not', filter: { kind: 'not', filter: { kind: 'any', field: 'complexity', values: [4] } } }, [4]],
  ['ids', { kind: 'ids', ids: [idOf(2), idOf(5), idOf(99)] }, [2, 5]],
  ['ids: none', { kind: 'ids', ids: [] }, []],
  ['not ids', { kind: 'not', filter: { kind: 'ids', ids: [idOf(2), idOf(5)] } }, [1, 3, 4]],
  [
    'nested: or inside and inside not',
    {
      kind: 'not',
      filter: {
        kind: 'and',
        filters: [
          {
            kind: 'or',
            filters: [
              { kind: 'any', field: 'project_type', values: ['kitchen'] },
              { kind: 'any', field: 'project_type', values: ['stairs'] },
            ],
          },
          { kind: 'not', filter: { kind: 'range', field: 'complexity', gte: 3 } },
        ],
      },
    },
    [3, 4, 5],
  ],
];

function samples() {
  const fields: readonly Readonly<Record<string, PayloadValue>>[] = [
    { project_type: 'kitchen', complexity: 1, final_price: 100.5, archived: true, mixed: 'x' },
    { project_type: 'kitchen', complexity: 2, final_price: 200, archived: false, mixed: 7 },
    { project_type: 'stairs', complexity: 3, final_price: 300, archived: null, mixed: 1.5 },
    { project_type: 'roof', complexity: 4, final_price: -0.25, mixed: true },
    { project_type: null, complexity: null, final_price: null, mixed: null },
  ];
  // Scores against the first axis fall with the number, so that the order of the results is known.
  return fields.map((values, i) => pointOf(idOf(i + 1), unit(5 - i, i, 1, 0), { rev: i + 1, fields: values }));
}

export function describeFilters(harness: ContractHarness): void {
  describe('filters', () => {
    let collection: string;
    beforeAll(async () => {
      collection = await harness.collection(samples());
    });

    it.each(CASES)('%s', async (_name, filter, kept) => {
      const expected = kept.map(idOf);
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 10, filter });
      expect(hits.map(({ id }) => id)).toEqual(expected);
      const page = await harness.store.scroll(collection, { limit: 10, filter });
      expect(page.points.map(({ id }) => id)).toEqual(expected);
      await expect(harness.store.count(collection, filter)).resolves.toBe(expected.length);
    });

    it('fills the limit and the offset from what the filter leaves', async () => {
      const filter: VectorFilter = { kind: 'range', field: 'complexity', gte: 2 };
      const hits = await harness.store.query(collection, { vector: axis(0), limit: 2, offset: 1, filter });
      expect(hits.map(({ id }) => id)).toEqual([idOf(3), idOf(4)]);
    });

    it('takes ids in upper case', async () => {
      const id = 'ABCDEF01-2345-4789-8ABC-DEFABCDEF012';
      const other = await harness.collection([pointOf(id, axis(0)), pointOf(idOf(1), axis(0))]);
      await expect(harness.store.count(other, { kind: 'ids', ids: [id] })).resolves.toBe(1);
    });

    it('refuses a bad id', async () => {
      await expectPermanent(harness.store.count(collection, { kind: 'ids', ids: ['nope'] }));
    });

    it('follows a point whose payload changes', async () => {
      const own = await harness.collection([pointOf(idOf(1), axis(0), { rev: 1, fields: { project_type: 'kitchen' } })]);
      const filter: VectorFilter = { kind: 'any', field: 'project_type', values: ['roof'] };
      await expect(harness.store.count(own, filter)).resolves.toBe(0);
      await harness.store.upsert(own, [pointOf(idOf(1), axis(0), { rev: 2, fields: { project_type: 'roof' } })]);
      await expect(harness.store.count(own, filter)).resolves.toBe(1);
      await harness.store.upsert(own, [pointOf(idOf(1), axis(0), { rev: 3 })]);
      await expect(harness.store.count(own, filter)).resolves.toBe(0);
    });
  });
}

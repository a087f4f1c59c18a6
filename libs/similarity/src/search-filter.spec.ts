import { PROJECT_FILTER_FIELDS, type Project, type ProjectCondition, type ProjectFilterField } from '#projects';
import { FakeVectorStore } from '#testing';
import fc from 'fast-check';
import { filterOf, filtersSchema } from './http/filters.schema.js';
import { vectorFilterOf } from './search-filter.js';

const SEED = 20261121;
const codeOf = (filters: unknown) => filtersSchema.safeParse(filters).error?.issues[0]?.code;

describe('filters', () => {
  it('reads every shape of the contract', () => {
    const filters = filtersSchema.parse({
      project_type: 'kitchen',
      region: ['Bavaria', 'Tyrol'],
      complexity: 3,
      final_price: { gte: 1, lt: 2 },
    });
    expect(filterOf(filters)).toEqual([
      { kind: 'any', field: 'project_type', values: ['kitchen'] },
      { kind: 'any', field: 'region', values: ['Bavaria', 'Tyrol'] },
      { kind: 'range', field: 'complexity', gte: 3, lte: 3 },
      { kind: 'range', field: 'final_price', gte: 1, lt: 2 },
    ]);
    expect(filterOf(undefined)).toEqual([]);
    expect(vectorFilterOf([])).toBeUndefined();
  });

  it.each([
    [{ name: 'x' }],
    [{ project_type: [] }],
    [{ project_type: null }],
    [{ project_type: 1 }],
    [{ project_type: { gte: 1 } }],
    [{ project_type: ['kitchen', 1] }],
    [{ project_type: "a' OR 1=1" }],
    [{ project_type: Array.from({ length: 51 }, () => 'a') }],
    [{ complexity: '3' }],
    [{ complexity: {} }],
    [{ complexity: { gte: '3' } }],
    [{ complexity: { $gte: 3 } }],
    [{ complexity: [3] }],
    [{ final_price: { gte: Number.POSITIVE_INFINITY } }],
    [{ final_price: { gte: Number.NaN } }],
    [JSON.parse('{"__proto__": {"kind": "not"}}')],
    [{ must: [] }],
    [[]],
    ['project_type'],
    [null],
  ])('refuses %j', (filters) => expect(codeOf(filters)).toBeDefined());

  it(`means the same in the store and in the conditions (seed ${SEED})`, async () => {
    const store = new FakeVectorStore();
    const terms = fc.option(fc.constantFrom('kitchen', 'stairs', 'roof'), { nil: null });
    const numbers = fc.option(fc.constantFrom(0, 1, 2.5, 3, 15000.07), { nil: null });
    const row = fc.record({
      project_type: terms,
      region: terms,
      wood_type: terms,
      complexity: numbers,
      final_price: numbers,
      total_area_sqm: numbers,
    });
    const bounds = fc.record(
      {
        gt: fc.constantFrom(0, 1, 2.5, 3),
        gte: fc.constantFrom(0, 1, 2.5),
        lt: fc.constantFrom(3, 15000.07),
        lte: fc.constantFrom(1, 2.5),
      },
      { requiredKeys: [] },
    );
    const condition: fc.Arbitrary<ProjectCondition> = fc.oneof(
      fc.record({
        kind: fc.constant('any' as const),
        field: fc.constantFrom('project_type' as const, 'region' as const),
        values: fc.subarray(['kitchen', 'stairs'], { minLength: 1 }),
      }),
      fc
        .tuple(fc.constantFrom('complexity' as const, 'final_price' as const), bounds)
        .map(([field, range]) => ({ kind: 'range' as const, field, ...range })),
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(row, fc.array(condition, { maxLength: 3 }), async (fields, filter) => {
        const name = `run${run++}`;
        await store.ensureIndex({ name, dimensions: 1, payloadIndexes: [], metadata: {} });
        const id = '00000000-0000-4000-8000-000000000001';
        await store.upsert(name, [
          { id, vector: Float32Array.of(1), payload: { ...fields, rev: 1, text_hash: '', payload_hash: '', model_rev: '', bucket: '01' } },
        ]);
        await expect(store.count(name, vectorFilterOf(filter))).resolves.toBe(filter.every((part) => meets(fields, part)) ? 1 : 0);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('covers every field that filters read', () => {
    expect(Object.keys(filtersSchema.shape)).toEqual(Object.keys(PROJECT_FILTER_FIELDS));
  });
});

/** What SQL says: a comparison with NULL is not true. */
function meets(fields: Pick<Project, ProjectFilterField>, condition: ProjectCondition): boolean {
  const value = fields[condition.field];
  if (value === null)
    return condition.kind === 'range' && [condition.gt, condition.gte, condition.lt, condition.lte].every((bound) => bound === undefined);
  if (condition.kind === 'any') return condition.values.includes(String(value));
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = condition;
  const number = Number(value);
  return number > gt && number >= gte && number < lt && number <= lte;
}

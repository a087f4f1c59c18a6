import fc from 'fast-check';
import type { VectorFilter } from '../vector-filter.js';
import type { PointPayload, ScoredPoint } from '../vector-store.js';
import { HnswGraph } from './hnsw-graph.js';
import { PointSearch, type PointQuery } from './point-search.js';
import { PointTable } from './point-table.js';

const DIMENSIONS = 8;
const NO_GRAPH = null;

/** Unit vectors of eight directions: dozens of points have the same vector, more than the spare candidates of a search take in. */
const direction = fc
  .array(fc.integer({ min: -1, max: 1 }), { minLength: 2, maxLength: 2 })
  .filter((components) => components.some((component) => component !== 0))
  .map((components) => unitOf([...components, 0, 0, 0, 0, 0, 0]));

function unitOf(components: readonly number[]): Float32Array {
  const norm = Math.hypot(...components);
  return Float32Array.from(components, (component) => component / norm);
}

function idOf(n: number): string {
  return `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

function tableOf(vectors: readonly Float32Array[]): PointTable {
  const table = new PointTable(DIMENSIONS);
  // Ids run against the rows, so that an order by row is not an order by id.
  vectors.forEach((vector, row) => table.append(idOf(vectors.length - row), vector, { rev: 1, n: row } as unknown as PointPayload));
  return table;
}

function bruteForce(table: PointTable, { vector, limit, offset, threshold, filter }: PointQuery): ScoredPoint[] {
  const { gte = -Infinity, lt = Infinity } = filter?.kind === 'range' ? filter : {};
  return Array.from({ length: table.length }, (_, row) => ({ id: table.idAt(row), score: table.vectors.dot(row, vector), row }))
    .filter(({ row, score }) => row >= gte && row < lt && score >= threshold)
    .map(({ id, score }) => ({ id, score: Math.max(-1, Math.min(1, score)) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(offset, offset + limit);
}

describe('PointSearch', () => {
  it('equals a sort of everything: ties, threshold, offset, filters that keep few or most', () => {
    const query = fc.record({
      vector: direction,
      limit: fc.integer({ min: 1, max: 40 }),
      offset: fc.integer({ min: 0, max: 30 }),
      threshold: fc.constantFrom(-Infinity, -1, 0, 0.5, 0.9),
      filter: fc.option(
        fc.tuple(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 1, max: 150 })).map(([gte, span]): VectorFilter => {
          return { kind: 'range', field: 'n', gte, lt: gte + span };
        }),
      ),
    });
    fc.assert(
      fc.property(fc.array(direction, { maxLength: 200, size: 'max' }), query, (vectors, pointQuery) => {
        const table = tableOf(vectors);
        expect(new PointSearch(table, 1000).query(pointQuery, NO_GRAPH)).toEqual(bruteForce(table, pointQuery));
      }),
      { numRuns: 300 },
    );
  });

  it('looks as deep as it must when all the near points are filtered out', () => {
    const near = unitOf([1, 0, 0, 0, 0, 0, 0, 0]);
    const far = unitOf([0, 1, 0, 0, 0, 0, 0, 0]);
    // Half of the points pass the filter, and all of them are far: a shallow scan sees none.
    const table = tableOf(Array.from({ length: 2000 }, (_, row) => (row < 1000 ? near : far)));
    const filter: VectorFilter = { kind: 'range', field: 'n', gte: 1000 };
    const query = { vector: near, limit: 10, offset: 0, threshold: -Infinity, filter };
    const hits = new PointSearch(table, 10_000).query(query, NO_GRAPH);
    expect(hits).toEqual(bruteForce(table, query));
    expect(hits).toHaveLength(10);

    const graph = new HnswGraph(DIMENSIONS);
    for (let row = 0; row < table.length; row++) graph.add(row, table.vectors.at(row));
    expect(new PointSearch(table, 100).query(query, graph)).toEqual(hits);
  });

  it('finds rows that the graph does not hold yet', () => {
    const vectors = Array.from({ length: 400 }, (_, n) => unitOf([Math.cos(n / 100), Math.sin(n / 100), 0, 0, 0, 0, 0, 0]));
    const table = tableOf(vectors);
    const graph = new HnswGraph(DIMENSIONS);
    for (let row = 0; row < 390; row++) graph.add(row, table.vectors.at(row));
    const hits = new PointSearch(table, 100).query(
      { vector: vectors[395]!, limit: 1, offset: 0, threshold: -Infinity, filter: null },
      graph,
    );
    expect(hits[0]!.id).toBe(table.idAt(395));
  });

  it('answers nothing from an empty table or an offset behind the end', () => {
    const query = { vector: unitOf([1, 0, 0, 0, 0, 0, 0, 0]), limit: 5, offset: 10, threshold: -Infinity, filter: null };
    expect(new PointSearch(tableOf([]), 10).query(query, NO_GRAPH)).toEqual([]);
    expect(new PointSearch(tableOf([query.vector]), 10).query(query, NO_GRAPH)).toEqual([]);
  });
});

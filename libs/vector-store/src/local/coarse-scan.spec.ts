import { CoarseScan } from './coarse-scan.js';
import { PointSearch } from './point-search.js';
import { PointTable } from './point-table.js';
import type { PointPayload } from '../vector-store.js';

const DIMENSIONS = 48;
const ROWS = 3_000;
const SEED = 7;

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
}

function unitVector(random: () => number, spread = 1): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, (_, i) => (i < 4 ? random() : random() * spread));
  const norm = Math.hypot(...vector);
  return vector.map((component) => component / norm);
}

function idOf(n: number): string {
  return `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
}

function tableOf(random: () => number, spread = 1): PointTable {
  const table = new PointTable(DIMENSIONS);
  for (let n = 0; n < ROWS; n++) table.append(idOf(n), unitVector(random, spread), { rev: 1 } as unknown as PointPayload);
  return table;
}

/** No row outside the candidates may have a dot product above their bound. */
function expectBoundToHold(table: PointTable, scan: CoarseScan, query: Float32Array): void {
  const found = scan.find(query, 5)!;
  const taken = new Set(found.rows);
  for (let row = 0; row < table.length; row++) {
    if (!taken.has(row)) expect(table.vectors.dot(row, query)).toBeLessThanOrEqual(found.bound);
  }
}

function bestOf(table: PointTable, query: Float32Array, limit: number): { id: string; score: number }[] {
  return Array.from({ length: table.length }, (_, row) => ({ id: table.idAt(row), score: table.vectors.dot(row, query) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

describe(`CoarseScan, seed ${SEED}`, () => {
  it('never leaves out a row above its bound, also after writes, moves, growth and a larger component', () => {
    const random = randomOf(SEED);
    const table = tableOf(random);
    const scan = new CoarseScan(table);
    expectBoundToHold(table, scan, unitVector(random));
    for (let n = 0; n < 50; n++) table.replace(n, unitVector(random), { rev: 2 } as unknown as PointPayload);
    for (let n = 0; n < 50; n++) table.removeRow(n * 7);
    for (let n = 0; n < 500; n++) table.append(idOf(100_000 + n), unitVector(random), { rev: 1 } as unknown as PointPayload);
    const axis = new Float32Array(DIMENSIONS);
    axis[3] = 1;
    table.replace(10, axis, { rev: 3 } as unknown as PointPayload);
    for (let round = 0; round < 5; round++) expectBoundToHold(table, scan, unitVector(random));
    expect(scan.find(axis, 5)!.rows[0]).toBe(10);
  });

  it('has a bound that is worth something: the best rows are settled without a scan of the floats', () => {
    const random = randomOf(SEED);
    const table = tableOf(random);
    const query = unitVector(random);
    expect(new CoarseScan(table).find(query, 5)!.bound).toBeLessThan(bestOf(table, query, 5)[4]!.score);
  });

  it('leaves small tables and deep pages to the scan of the floats', () => {
    const random = randomOf(SEED);
    const table = tableOf(random);
    expect(new CoarseScan(table).find(unitVector(random), ROWS / 2)).toBeNull();
    expect(new CoarseScan(new PointTable(DIMENSIONS)).find(unitVector(random), 1)).toBeNull();
  });

  it.each([1, 0.02])('gives searches the same answer as a sort of everything, near and far apart (spread %d)', (spread) => {
    const random = randomOf(SEED);
    const table = tableOf(random, spread);
    const search = new PointSearch(table, 20_000);
    for (let round = 0; round < 20; round++) {
      const vector = unitVector(random, spread);
      const points = search.query({ vector, limit: 10, offset: 2, threshold: -1, filter: null }, null);
      expect(points.map(({ id }) => id)).toEqual(
        bestOf(table, vector, 12)
          .slice(2)
          .map(({ id }) => id),
      );
    }
  });
});

import { HnswGraph } from './hnsw-graph.js';

const axis = (index: number) => Float32Array.from({ length: 4 }, (_, i) => (i === index ? 1 : 0));

function graphOf(...rows: readonly number[]): HnswGraph {
  const graph = new HnswGraph(4);
  for (const row of rows) graph.add(row, axis(row % 4));
  return graph;
}

describe('HnswGraph', () => {
  it('finds the row it was given, also beyond its first capacity', () => {
    const graph = new HnswGraph(4);
    graph.add(70_000, axis(2));
    graph.add(3, axis(1));
    expect(graph.search(axis(2), 1)).toEqual([70_000]);
    expect(graph.size).toBe(2);
    expect(graph.has(70_000)).toBe(true);
    expect(graph.has(4)).toBe(false);
  });

  it('forgets removed rows', () => {
    const graph = graphOf(0, 1, 2);
    graph.remove(1);
    graph.remove(1);
    expect(graph.size).toBe(2);
    expect([...graph.search(axis(1), 3)].sort()).toEqual([0, 2]);
  });

  it('follows rows that move into a gap', () => {
    const graph = graphOf(0, 1, 2);
    graph.remove(0);
    graph.move(2, 0);
    expect(graph.search(axis(2), 1)).toEqual([0]);
    expect(graph.has(2)).toBe(false);
    graph.add(2, axis(3));
    expect(graph.search(axis(3), 1)).toEqual([2]);
  });

  it('takes a row again after it was removed', () => {
    const graph = graphOf(0, 1);
    graph.remove(0);
    graph.add(0, axis(3));
    expect(graph.search(axis(3), 1)).toEqual([0]);
  });

  it('answers an empty graph with nothing', () => {
    const graph = graphOf(0);
    graph.remove(0);
    expect(graph.search(axis(0), 5)).toEqual([]);
  });
});

import { LocalCollection, type PackedPoints } from './local-collection.js';

const EXACT_LIMIT = 10;

function pointsOf(from: number, count: number, rev = 1): PackedPoints {
  const rows = Array.from({ length: count }, (_, i) => from + i);
  return {
    ids: rows.map((n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`),
    payloads: rows.map(() => ({ rev, text_hash: 't', payload_hash: 'p', model_rev: 'm', bucket: '00' })),
    vectors: Float32Array.from(rows.flatMap((n) => [Math.cos(n), Math.sin(n)])),
  };
}

describe('LocalCollection', () => {
  it('needs no graph up to the limit of an exact scan', () => {
    const collection = new LocalCollection('c', 2, EXACT_LIMIT);
    collection.upsert(pointsOf(0, EXACT_LIMIT));
    expect(collection.hasGraphWork()).toBe(false);
    collection.upsert(pointsOf(100, 1));
    expect(collection.hasGraphWork()).toBe(true);
  });

  it('is yellow while the graph is behind, green when it has caught up', () => {
    const collection = new LocalCollection('c', 2, EXACT_LIMIT);
    collection.upsert(pointsOf(0, 20));
    expect(collection.info()).toMatchObject({ status: 'yellow', pointsCount: 20, indexedVectorsCount: 0 });
    collection.buildGraph(0);
    expect(collection.info().indexedVectorsCount).toBe(1);
    collection.buildGraph(Infinity);
    expect(collection.info()).toMatchObject({ status: 'green', indexedVectorsCount: 20 });
    collection.upsert(pointsOf(0, 1, 2));
    expect(collection.info().status).toBe('green');
    collection.upsert({ ...pointsOf(0, 1, 3), vectors: Float32Array.of(-1, 0) });
    expect(collection.info()).toMatchObject({ status: 'yellow', indexedVectorsCount: 19 });
  });

  it('counts only real changes: a write that the fence refuses makes nothing dirty', () => {
    const collection = new LocalCollection('c', 2, EXACT_LIMIT);
    collection.upsert(pointsOf(0, 2, 5));
    const { changes } = collection;
    collection.upsert(pointsOf(0, 2, 5));
    collection.delete([{ id: pointsOf(0, 1).ids[0]!, rev: 5 }]);
    expect(collection.changes).toBe(changes);
    collection.delete([{ id: pointsOf(0, 1).ids[0]!, rev: 6 }]);
    expect(collection.changes).toBe(changes + 1);
  });

  it('scales a vector that is only nearly of norm 1, so that scores stay cosines', () => {
    const collection = new LocalCollection('c', 2, EXACT_LIMIT);
    collection.upsert({ ...pointsOf(0, 1), vectors: Float32Array.of(1.0009, 0) });
    const [hit] = collection.query({ vector: Float32Array.of(0.6, 0.8), limit: 1 });
    expect(hit!.score).toBeCloseTo(0.6, 6);
  });
});

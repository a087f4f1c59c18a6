import { Logger } from '@nestjs/common';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VectorPoint } from '../vector-store.js';
import { LocalVectorStore } from './local-vector-store.js';

const DIMENSIONS = 64;
const LATENT = 12;
const CLUSTERS = 30;
const POINTS = 6_000;
const QUERIES = 60;
const SEED = 17;
/** The graph must take over far below the usual limit, so that the test stays short. */
const EXACT_LIMIT = 500;

/** Vectors as embeddings are: clusters in few dimensions, turned into many. Independent noise would be a harder problem than any real one. */
class ClusteredVectors {
  private state = SEED;
  private readonly centres = Array.from({ length: CLUSTERS }, () => this.normals(LATENT));
  private readonly rotation = Array.from({ length: LATENT }, () => this.normals(DIMENSIONS));

  next(): Float32Array {
    const centre = this.centres[Math.floor(this.uniform() ** 2 * CLUSTERS)]!;
    const latent = centre.map((value) => value + 0.5 * this.normal());
    const vector = Float32Array.from({ length: DIMENSIONS }, (_, i) =>
      latent.reduce((sum, value, l) => sum + value * this.rotation[l]![i]!, 0),
    );
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return vector.map((value) => value / norm);
  }

  uniform(): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return this.state / 4_294_967_296;
  }

  private normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  private normals(length: number): number[] {
    return Array.from({ length }, () => this.normal());
  }
}

describe(`the graph of the local store (seed ${SEED})`, () => {
  const source = new ClusteredVectors();
  const points = new Map<string, VectorPoint>();
  let folder: string;
  let store: LocalVectorStore;

  const pointOf = (n: number, rev: number): VectorPoint => {
    const hex = n.toString(16).padStart(12, '0');
    const payload = { rev, text_hash: 't', payload_hash: 'p', model_rev: 'm', bucket: hex.slice(-2), share: n % 100 };
    return { id: `00000000-0000-4000-8000-${hex}`, vector: source.next(), payload };
  };

  const write = async (batch: readonly VectorPoint[]) => {
    for (const point of batch) points.set(point.id, point);
    await store.upsert('c', batch);
  };

  const untilIndexed = async () => {
    while ((await store.info('c'))!.indexedVectorsCount < points.size) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  const bruteForce = (query: Float32Array, limit: number, keeps: (point: VectorPoint) => boolean) =>
    [...points.values()]
      .filter(keeps)
      .map(({ id, vector }) => ({ id, score: vector.reduce((sum, value, i) => sum + value * query[i]!, 0) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);

  /** Share of the true nearest ten that the store finds; also checks that it returns ten, in order, with exact scores. */
  const recallAt10 = async (shareBelow = 100): Promise<number> => {
    let found = 0;
    for (let n = 0; n < QUERIES; n++) {
      const vector = source.next();
      const truth = bruteForce(vector, 10, ({ payload }) => Number(payload['share']) < shareBelow);
      const filter = { kind: 'range', field: 'share', lt: shareBelow } as const;
      const hits = await store.query('c', { vector, limit: 10, ...(shareBelow < 100 && { filter }) });
      expect(hits).toHaveLength(10);
      hits.forEach(({ score }, i) => expect(score).toBeLessThanOrEqual(i === 0 ? 1 : hits[i - 1]!.score));
      const byId = new Map(truth.map(({ id, score }) => [id, score]));
      for (const { id, score } of hits) {
        if (!byId.has(id)) continue;
        found++;
        expect(score).toBeCloseTo(byId.get(id)!, 5);
      }
    }
    return found / (QUERIES * 10);
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    folder = await mkdtemp(join(tmpdir(), 'kindred-graph-'));
    store = new LocalVectorStore({ folder, exactLimit: EXACT_LIMIT });
    await store.open();
    await store.ensureIndex({ name: 'c', dimensions: DIMENSIONS, payloadIndexes: [], metadata: {} });
  });

  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is built behind the queries: what is not in it yet is scanned', async () => {
    for (let n = 0; n < POINTS; n += 500) {
      await write(Array.from({ length: 500 }, (_, i) => pointOf(n + i, 1)));
      const [hit] = await store.query('c', { vector: [...points.values()].at(-1)!.vector, limit: 1 });
      expect(hit!.score).toBeCloseTo(1, 5);
    }
    await untilIndexed();
    expect((await store.info('c'))!.status).toBe('green');
  });

  it('finds at least 0.99 of the true nearest ten', async () => {
    await expect(recallAt10()).resolves.toBeGreaterThanOrEqual(0.99);
  });

  it.each([50, 12, 3])('finds them, and never fewer than ten, behind a filter that keeps %d %%', async (percent) => {
    await expect(recallAt10(percent)).resolves.toBeGreaterThanOrEqual(0.99);
  });

  it('leaves out what was deleted and finds what was written since', async () => {
    const gone = [...points.keys()].filter((_, n) => n % 5 === 0);
    await store.delete(
      'c',
      gone.map((id) => ({ id, rev: 100 })),
    );
    for (const id of gone) points.delete(id);
    await write(Array.from({ length: 400 }, (_, i) => pointOf(POINTS + i, 1)));
    await write(Array.from({ length: 400 }, (_, i) => pointOf(i + 1, 200)));
    await untilIndexed();
    await expect(recallAt10()).resolves.toBeGreaterThanOrEqual(0.99);
    const ids = new Set(points.keys());
    for (let n = 0; n < 20; n++) {
      for (const { id } of await store.query('c', { vector: source.next(), limit: 50 })) expect(ids.has(id)).toBe(true);
    }
  });

  it('stays whole when only payloads change', async () => {
    const changed = [...points.values()].slice(0, 300).map((point) => ({ ...point, payload: { ...point.payload, rev: 500, share: 99 } }));
    await write(changed);
    expect((await store.info('c'))!.indexedVectorsCount).toBe(points.size);
    await expect(store.count('c', { kind: 'range', field: 'rev', gte: 500 })).resolves.toBe(300);
  });

  it('answers deep pages like shallow ones', async () => {
    const vector = source.next();
    const all = await store.query('c', { vector, limit: 1000 });
    expect(all).toHaveLength(1000);
    const page = await store.query('c', { vector, limit: 10, offset: 900 });
    expect(page).toEqual(all.slice(900, 910));
  });

  it('is given up when few points are left', async () => {
    const rest = [...points.keys()].slice(100);
    await store.delete(
      'c',
      rest.map((id) => ({ id, rev: 1000 })),
    );
    for (const id of rest) points.delete(id);
    while ((await store.info('c'))!.indexedVectorsCount > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await expect(store.query('c', { vector: source.next(), limit: 200 })).resolves.toHaveLength(100);
  });
});

import type { UnitOfWork } from '#database';
import { cosineOf } from '#kernel';
import type { VectorStore } from '#vector-store';
import { readVectors } from '../cache/read-vectors.js';
import type { IndexGeneration } from '../generations/index-generation.js';

/** An id of the sample, as it was verified. */
export interface SampledPoint {
  readonly id: string;
  /** Hex. */
  readonly textHash: string;
  /** Of its entry. */
  readonly version: number;
  readonly rev: number;
}

export interface SampledVectors {
  /** Points whose vector was compared. */
  readonly compared: number;
  readonly differing: readonly SampledPoint[];
}

/** 1 - cosine; float32 rounding of 384 components stays a hundred times below it, and a wrong vector is far above. */
const DISTANCE_MAXIMUM = 1e-5;
/** Vectors per read: 384 dimensions travel as some 5 KB of JSON each. */
const READ_SIZE = 100;

/** A sample of verified points, each as likely as any other however many there are (reservoir sampling, Vitter's algorithm R). */
export class VectorSample {
  private readonly points: SampledPoint[] = [];
  private offered = 0;

  /** @param random uniform in [0, 1) */
  constructor(
    private readonly size: number,
    private readonly random: () => number,
  ) {}

  offer(point: SampledPoint): void {
    this.offered++;
    if (this.points.length < this.size) {
      this.points.push(point);
      return;
    }
    const position = Math.floor(this.random() * this.offered);
    if (position < this.size) this.points[position] = point;
  }

  get all(): readonly SampledPoint[] {
    return this.points;
  }
}

/** Compares stored vectors with those of the cache; what has changed since it was verified, or is not cached, is left out. */
export async function compareVectors(
  unitOfWork: UnitOfWork,
  store: VectorStore,
  generation: IndexGeneration,
  sample: readonly SampledPoint[],
  signal?: AbortSignal,
): Promise<SampledVectors> {
  let compared = 0;
  const differing: SampledPoint[] = [];
  for (let start = 0; start < sample.length; start += READ_SIZE) {
    const part = sample.slice(start, start + READ_SIZE);
    const hashes = [...new Set(part.map(({ textHash }) => textHash))].map((hash) => Buffer.from(hash, 'hex'));
    const cached = await readVectors(unitOfWork, hashes, generation.dimensions);
    const stored = await store.retrieve(
      generation.collection,
      part.map(({ id }) => id),
      { hasVectors: true, signal },
    );
    const byId = new Map(stored.map((point) => [point.id, point]));
    for (const sampled of part) {
      const point = byId.get(sampled.id);
      const expected = cached.get(sampled.textHash);
      if (point?.vector === undefined || expected === undefined || point.payload.rev !== sampled.rev) continue;
      compared++;
      if (!(1 - cosineOf(point.vector, expected) <= DISTANCE_MAXIMUM)) differing.push(sampled);
    }
  }
  return { compared, differing };
}

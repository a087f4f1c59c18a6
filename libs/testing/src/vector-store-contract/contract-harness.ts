/// <reference types="jest" />
import { randomBytes } from 'node:crypto';
import {
  VectorStoreError,
  type CollectionSpec,
  type PayloadIndex,
  type PayloadValue,
  type VectorPoint,
  type VectorStore,
  type VectorStoreErrorKind,
} from '#vector-store';

export interface ContractStore {
  readonly store: VectorStore;
  /** Removes what the store leaves behind; called once, after the collections are dropped and the store is closed. */
  cleanup(): Promise<void>;
}

/** Dimension of the hand-made vectors; small, so that scores can be worked out on paper. */
export const DIMENSIONS = 4;

export const PAYLOAD_INDEXES: readonly PayloadIndex[] = [
  { field: 'project_type', type: 'keyword' },
  { field: 'complexity', type: 'integer' },
  { field: 'final_price', type: 'float' },
];

/** Hands out collections with names of their own (a real server is shared) and drops them at the end. */
export class ContractHarness {
  private readonly prefix = `contract_${randomBytes(4).toString('hex')}`;
  private readonly names: string[] = [];
  private made: ContractStore | null = null;

  constructor(private readonly makeStore: () => Promise<ContractStore>) {}

  get store(): VectorStore {
    if (this.made === null) throw new Error('The store of the contract is not open');
    return this.made.store;
  }

  async start(): Promise<void> {
    this.made = await this.makeStore();
    await this.made.store.open();
  }

  async stop(): Promise<void> {
    if (this.made === null) return;
    for (const name of this.names) await this.made.store.drop(name);
    await this.made.store.close();
    await this.made.cleanup();
  }

  /** A name that no other test has; dropped at the end if it was ever created. */
  name(): string {
    const name = `${this.prefix}_${this.names.length}`;
    this.names.push(name);
    return name;
  }

  spec(overrides: Partial<CollectionSpec> = {}): CollectionSpec {
    return { name: this.name(), dimensions: DIMENSIONS, payloadIndexes: PAYLOAD_INDEXES, metadata: { model: 'm1' }, ...overrides };
  }

  /** Creates an empty collection, or one that holds `points`. */
  async collection(points: readonly VectorPoint[] = [], dimensions = DIMENSIONS): Promise<string> {
    const spec = this.spec({ dimensions });
    await this.store.ensureIndex(spec);
    await this.store.upsert(spec.name, points);
    return spec.name;
  }

  /** The ids in the order of the scroll. */
  async ids(collection: string): Promise<string[]> {
    const page = await this.store.scroll(collection, { limit: 1000 });
    return page.points.map(({ id }) => id);
  }

  /** The rev that the point carries, or `null` when there is no such point. */
  async rev(collection: string, id: string): Promise<number | null> {
    const [point] = await this.store.retrieve(collection, [id]);
    return point === undefined ? null : point.payload.rev;
  }
}

/** The n-th id: its order is the order of n, its bucket the last byte of n. */
export function idOf(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The unit vector along one axis; scores between two of these are exactly 0, 1 or -1. */
export function axis(index: number, sign: 1 | -1 = 1): Float32Array {
  const vector = new Float32Array(DIMENSIONS);
  vector[index] = sign;
  return vector;
}

/** Scales to norm 1. */
export function unit(...components: readonly number[]): Float32Array {
  const norm = Math.hypot(...components);
  return Float32Array.from(components, (component) => component / norm);
}

export function pointOf(
  id: string,
  vector: Float32Array,
  options: { readonly rev?: number; readonly fields?: Readonly<Record<string, PayloadValue>> } = {},
): VectorPoint {
  const payload = {
    rev: options.rev ?? 1,
    text_hash: 'a'.repeat(64),
    payload_hash: 'b'.repeat(64),
    model_rev: 'c'.repeat(64),
    bucket: id.slice(-2).toLowerCase(),
    ...options.fields,
  };
  return { id, vector, payload };
}

/** A generator of numbers from 0 to 1 (exclusive) that repeats itself for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomUnit(random: () => number, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  let sumOfSquares = 0;
  for (let i = 0; i < dimensions; i++) {
    // The sum of three uniforms is round enough that no direction is preferred much.
    vector[i] = random() + random() + random() - 1.5;
    sumOfSquares += vector[i]! * vector[i]!;
  }
  const norm = Math.sqrt(sumOfSquares);
  for (let i = 0; i < dimensions; i++) vector[i] = vector[i]! / norm;
  return vector;
}

export function randomUuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Asserts that the call fails with a {@link VectorStoreError} of this kind. */
export async function expectKind(call: Promise<unknown>, kind: VectorStoreErrorKind): Promise<void> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VectorStoreError);
  expect((error as VectorStoreError).kind).toBe(kind);
}

/** Asserts that the call fails with a {@link VectorStoreError} that waiting does not cure. */
export async function expectPermanent(call: Promise<unknown>): Promise<void> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(VectorStoreError);
  expect((error as VectorStoreError).isRetryable).toBe(false);
}

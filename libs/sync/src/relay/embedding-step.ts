import type { Embedder, Embedding } from '#embeddings';
import { crashPoint, findVectorDefect } from '#kernel';
import { readVectors } from '../cache/read-vectors.js';
import { storeVectors } from '../cache/store-vectors.js';
import type { IndexGeneration } from '../generations/index-generation.js';
import { isolatePoison } from './isolate-poison.js';
import type { Lease } from './lease.js';
import type { PassContext } from './relay-context.js';
import type { RunSummary } from './run-summary.js';
import type { UpsertItem, WorkItem } from './work-item.js';

/** Items of which it is not known whether they had an effect. */
export interface FailedItems {
  readonly items: readonly WorkItem[];
  readonly error: unknown;
  /** Whether they have failed alone already, so that it is they that cannot be processed. */
  readonly isIsolated?: boolean;
}

export interface VectorResult {
  /** By item; items without a vector are in `failed`. */
  readonly vectors: ReadonlyMap<UpsertItem, Float32Array>;
  readonly failed: readonly FailedItems[];
}

/** Whether a failure of the embedder may be the fault of a text. */
export type IsPoison = (error: unknown) => Promise<boolean>;

/** The step between reading and sending: a vector for each item that needs one. */
export class EmbeddingStep {
  constructor(
    private readonly context: PassContext,
    private readonly generation: IndexGeneration,
    private readonly lease: Lease,
    private readonly summary: RunSummary,
  ) {}

  /** As `RelaySteps.vectors`. Texts that cannot be embedded are found by splitting, without reading or writing anything again. */
  async take(items: readonly WorkItem[], embedder: () => Embedder, isPoison: IsPoison): Promise<VectorResult> {
    const upserts = items.filter((item) => item.action === 'upsert');
    const distinct = new Map(upserts.map((item) => [item.textHashHex, item]));
    const byHash = await readVectors(
      this.context.unitOfWork,
      [...distinct.values()].map(({ textHash }) => textHash),
      this.generation.dimensions,
    );
    this.summary.cacheHits += byHash.size;
    const missing = [...distinct.values()].filter(({ textHashHex }) => !byHash.has(textHashHex));
    const failures = missing.length === 0 ? [] : await this.embedMissing(missing, embedder, isPoison, byHash);
    const failureByHash = new Map(failures.flatMap((failure) => failure.items.map((item) => [item.textHashHex, failure] as const)));
    const vectors = new Map<UpsertItem, Float32Array>();
    const failed = new Map<EmbeddingFailure, UpsertItem[]>(failures.map((failure) => [failure, []]));
    for (const item of upserts) {
      const vector = byHash.get(item.textHashHex);
      if (vector === undefined) failed.get(failureByHash.get(item.textHashHex)!)!.push(item);
      else vectors.set(item, vector);
    }
    crashPoint('relay.embedded');
    return { vectors, failed: [...failed].map(([{ error, isIsolated }, without]) => ({ items: without, error, isIsolated })) };
  }

  /** Puts new vectors into the cache, then into `byHash`; returns what has none. */
  private async embedMissing(
    missing: readonly UpsertItem[],
    embedder: () => Embedder,
    isPoison: IsPoison,
    byHash: Map<string, Float32Array>,
  ): Promise<EmbeddingFailure[]> {
    const { done, poison, left, splits } = await isolatePoison(
      missing,
      (items) => this.embed(items, embedder()),
      // An aborted call fails in its own words.
      (error) => (this.lease.signal.aborted ? Promise.resolve(false) : isPoison(error)),
    );
    this.summary.embedded += done.size;
    this.summary.splits += splits;
    const failures: EmbeddingFailure[] = poison.map(({ item, error }) => ({ items: [item], error, isIsolated: true }));
    if (left !== null) failures.push({ ...left, isIsolated: false });
    const embedded = [...done].map(([item, { vector, isTruncated }]) => ({ textHash: item.textHash, vector, isTruncated }));
    try {
      await storeVectors(this.context.unitOfWork, embedded);
    } catch (error) {
      return [...failures, { items: [...done.keys()], error, isIsolated: false }];
    }
    for (const [item, { vector }] of done) byHash.set(item.textHashHex, vector);
    return failures;
  }

  private async embed(items: readonly UpsertItem[], embedder: Embedder): Promise<Embedding[]> {
    this.lease.signal.throwIfAborted();
    const embeddings = await embedder.embedDocuments(
      items.map(({ document }) => document.text),
      { signal: this.lease.signal },
    );
    if (embeddings.length !== items.length) throw new Error(`The embedder answered ${embeddings.length} vectors for ${items.length} texts`);
    for (const { vector } of embeddings) {
      const defect = findVectorDefect(vector, this.generation.dimensions);
      if (defect !== null) throw new Error(`The embedder answered a vector that is refused: ${defect}`);
    }
    return embeddings;
  }
}

interface EmbeddingFailure {
  readonly items: readonly UpsertItem[];
  readonly error: unknown;
  readonly isIsolated: boolean;
}

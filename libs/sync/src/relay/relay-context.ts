import type { RelayUnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import type { Clock, IdGenerator } from '#kernel';
import type { VectorStore } from '#vector-store';
import type { GenerationCatalog } from '../generations/generation-catalog.js';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import type { ProviderGate } from './provider-gate.js';

/** Times and sizes of the relay; `SyncConfig` has this shape. */
export interface RelaySettings {
  readonly leaseMs: number;
  readonly writeTimeoutMs: number;
  readonly graceMs: number;
  readonly batchSize: number;
  readonly maxAttempts: number;
}

/** What the relay works with. */
export interface RelayContext {
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly embedders: EmbedderRegistry;
  readonly sources: IndexSourceRegistry;
  readonly catalog: GenerationCatalog;
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly ids: IdGenerator;
  /** Uniform in [0, 1); injected, so that tests repeat. Default: `Math.random`. */
  readonly random: () => number;
}

/** What a pass shares with the relay that runs it. */
export interface PassContext extends RelayContext {
  /** Closed while the vector store is away. */
  readonly storeGate: ProviderGate;
  /** Closed while the embedder of that model is away. */
  embedderGate(modelRev: string): ProviderGate;
  /** The store has taken a write. */
  onStoreSuccess(): void;
  /** Whether the store has taken a write within the last minute: only then does a write that it did not answer speak against the entry. */
  hasStoreSucceededLately(): boolean;
  /** An outcome was recorded, `lagMs` after the change. */
  onRecorded(lagMs: number): void;
  /** A write found no collection; whoever owns the generations heals it. Never throws. */
  onCollectionMissing(generation: IndexGeneration): void;
  /** There is work that is due at once. */
  wake(): void;
}

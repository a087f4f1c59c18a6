import type { RelayUnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import type { Clock, IdGenerator, RepeatedMessages } from '#kernel';
import type { VectorStore } from '#vector-store';
import type { GenerationCatalog } from '../generations/generation-catalog.js';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import type { RelayProviders } from './relay-providers.js';

/** Times and sizes of the relay; `SyncConfig` has this shape. */
export interface RelaySettings {
  readonly leaseMs: number;
  readonly writeTimeoutMs: number;
  readonly graceMs: number;
  readonly batchSize: number;
  readonly maxAttempts: number;
  /** Texts and payloads that are embedded and sent together, bytes; a larger row stands alone. Default: {@link BATCH_BYTES_DEFAULT}. */
  readonly batchBytes?: number;
}

/**
 * 4 MiB: a batch of ordinary rows (64 of a few kilobytes) stays whole, and one of large rows is still written well within a time-out of two seconds and
 * far below the 32 MiB that a Qdrant server takes in one request.
 */
export const BATCH_BYTES_DEFAULT = 4 * 1024 * 1024;

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
  readonly providers: RelayProviders;
  /** The outcome of a row was recorded, `lagMs` after the change. */
  onRecorded(lagMs: number, sourceId: string): void;
  /** A write found no collection; whoever owns the generations heals it. Never throws. */
  onCollectionMissing(generation: IndexGeneration): void;
  /** Logs a warning, the same `key` once a minute with a count. */
  warn(key: string, message: string): void;
  readonly messages: RepeatedMessages;
  /** There is work that is due at once. */
  wake(): void;
}

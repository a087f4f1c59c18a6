import type { Embedder, EmbedderDescriptor } from './embedder.js';

/**
 * Builds the embedder that a generation's descriptor names, once per `modelRev`, so that generations with different models live side by side.
 */
export abstract class EmbedderRegistry {
  /** The descriptor that NEW generations get, from the configuration and the model folder. */
  abstract describeConfigured(): Promise<EmbedderDescriptor>;

  /**
   * Returns the embedder of the descriptor; it may still be loading (see {@link Embedder.ready}).
   *
   * @throws DomainError `search.embedder-unavailable` when the descriptor cannot be built here, for example because the model folder is missing or has other weights
   */
  abstract get(descriptor: EmbedderDescriptor): Embedder;

  /** Closes every embedder that was built here; none can be had afterwards. Idempotent. */
  abstract close(): Promise<void>;
}

import type { Embedder, EmbedderDescriptor } from './embedder.js';

/** What an operator may choose for a new generation; everything else follows from the model's files. */
export type EmbedderOverrides = Partial<Pick<EmbedderDescriptor, 'model' | 'dtype' | 'max_tokens' | 'query_prefix' | 'document_prefix'>>;

/**
 * Builds the embedder that a generation's descriptor names, once per `modelRev`, so that generations with different models live side by side.
 */
export abstract class EmbedderRegistry {
  /**
   * The descriptor that a NEW generation gets: the configured one with the overrides on top. Reads the model's small files; loads nothing.
   *
   * @throws FatalStartupError when the model folder is missing or not complete, or the model reads fewer tokens than asked for
   */
  abstract describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor>;

  /** The descriptor that new generations get from the configuration and the model folder alone. */
  describeConfigured(): Promise<EmbedderDescriptor> {
    return this.describe({});
  }

  /**
   * Returns the embedder of the descriptor; it may still be loading (see {@link Embedder.ready}).
   *
   * @throws DomainError `search.embedder-unavailable` when the descriptor cannot be built here, for example because the model folder is missing or has other weights
   */
  abstract get(descriptor: EmbedderDescriptor): Embedder;

  /**
   * Closes the embedder of that `modelRev`, if it was built here, and forgets it: no generation needs it any more. Calls in flight reject; a later
   * {@link get} builds it anew.
   */
  abstract release(modelRev: string): Promise<void>;

  /** Closes every embedder that was built here; none can be had afterwards. Idempotent. */
  abstract close(): Promise<void>;
}

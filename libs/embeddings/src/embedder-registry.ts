import type { Embedder, EmbedderDescriptor } from './embedder.js';

/**
 * What an operator may choose for a new generation; everything else follows from the configuration and the model. Of another provider than the
 * configured one, `model` is that provider's configured one unless it is chosen as well. `dtype` is for local models, `dimensions` for others.
 */
export type EmbedderOverrides = Partial<
  Pick<EmbedderDescriptor, 'provider' | 'model' | 'dtype' | 'dimensions' | 'max_tokens' | 'query_prefix' | 'document_prefix'>
>;

/**
 * What is known of the service that embeds, without asking it: how its last request ended.
 *
 * - `not_configured`: none is; `healthy`: it answered, or has not been asked yet; `degraded`: it throttles; `unhealthy`: it failed
 */
export type EmbeddingServiceState = 'not_configured' | 'healthy' | 'degraded' | 'unhealthy';

/**
 * Builds the embedder that a generation's descriptor names, once per `modelRev`, so that generations with different models live side by side.
 */
export abstract class EmbedderRegistry {
  /**
   * The descriptor that a NEW generation gets: the configured one with the overrides on top. Loads nothing, and asks no service.
   *
   * @throws FatalStartupError when there is no such model, or it is not complete, or cannot do what is asked of it
   */
  abstract describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor>;

  /** Makes every embedder forget the search texts that it remembers. Default: none does. */
  forgetQueries(): void {}

  /** The descriptor that new generations get from the configuration alone. */
  describeConfigured(): Promise<EmbedderDescriptor> {
    return this.describe({});
  }

  /**
   * Finds out whether the described embedder works here, by embedding a text; keeps nothing. To be asked before an index is built on it, because an index
   * keeps its embedder for good.
   *
   * @throws FatalStartupError when it does not work, and only a person can change that
   * @throws DomainError `search.embedder-unavailable` when it may work later
   */
  abstract prove(descriptor: EmbedderDescriptor): Promise<void>;

  /**
   * Returns the embedder of the descriptor; it may still be loading (see {@link Embedder.ready}).
   *
   * @throws DomainError `search.embedder-unavailable` when the descriptor cannot be built here, for example because the model folder is missing or has other weights
   */
  abstract get(descriptor: EmbedderDescriptor): Embedder;

  /** The embedders that were built here and are not released. */
  abstract list(): readonly Embedder[];

  /** Of the embedders that were built here; the worst of them. */
  abstract serviceState(): EmbeddingServiceState;

  /**
   * Closes the embedder of that `modelRev`, if it was built here, and forgets it: no generation needs it any more. Calls in flight reject; a later
   * {@link get} builds it anew.
   */
  abstract release(modelRev: string): Promise<void>;

  /** Closes every embedder that was built here; none can be had afterwards. Idempotent. */
  abstract close(): Promise<void>;
}

import type { Embedder, EmbedderDescriptor } from './embedder.js';
import type { EmbedderOverrides } from './embedder-registry.js';

/** Describes, tries and builds the embedders of one provider; what it builds is the caller's to close. */
export abstract class EmbedderFactory {
  /** As {@link EmbedderRegistry.describe}; `provider` is this one's. */
  abstract describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor>;

  /** As {@link EmbedderRegistry.prove}. */
  abstract prove(descriptor: EmbedderDescriptor): Promise<void>;

  /** @throws DomainError `search.embedder-unavailable` when the descriptor cannot be built here */
  abstract build(descriptor: EmbedderDescriptor): Embedder;
}

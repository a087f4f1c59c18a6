import { EmbeddingConfig, type OpenAiEmbeddingSettings } from '#config';
import { DomainError, FatalStartupError } from '#kernel';
import { ProviderError } from '#openai';
import type { EmbedderDescriptor } from '../embedder.js';
import { EmbedderFactory } from '../embedder-factory.js';
import type { EmbedderOverrides } from '../embedder-registry.js';
import { knownModel } from './known-models.js';
import { OpenAiEmbedder } from './openai-embedder.js';

const PROOF_TEXT = 'ready?';

/** Builds embedders that ask the configured service. */
export class OpenAiEmbedderFactory extends EmbedderFactory {
  private readonly settings: OpenAiEmbeddingSettings;

  constructor(private readonly config: EmbeddingConfig) {
    super();
    this.settings = config.openAi;
  }

  /** @throws FatalStartupError when the dimensions are not known, or not those of the model, or something is chosen that only local models have */
  describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor> {
    const model = overrides.model ?? this.settings.model;
    if (overrides.dtype !== undefined) return Promise.reject(unusable(model, 'a service decides the precision of its models itself'));
    try {
      return Promise.resolve({
        provider: 'openai',
        model,
        revision: this.settings.revision,
        dtype: 'fp32',
        dimensions: this.dimensionsOf(model, overrides.dimensions),
        pooling: 'provider',
        query_prefix: overrides.query_prefix ?? this.config.queryPrefix,
        document_prefix: overrides.document_prefix ?? this.config.documentPrefix,
        max_tokens: overrides.max_tokens ?? this.settings.maxTokens,
      });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async prove(descriptor: EmbedderDescriptor): Promise<void> {
    const embedder = this.build(descriptor);
    try {
      await embedder.embedDocuments([PROOF_TEXT]);
    } catch (error) {
      const cause = error instanceof DomainError ? error.cause : error;
      if (cause instanceof ProviderError && !cause.isTransient) throw unusable(descriptor.model, cause.message, cause);
      throw error;
    } finally {
      await embedder.close();
    }
  }

  build(descriptor: EmbedderDescriptor): OpenAiEmbedder {
    const { revision, baseUrl, apiKey, timeoutMs, queryTimeoutMs, batchSize } = this.settings;
    if (descriptor.revision !== revision) {
      throw new DomainError('search.embedder-unavailable', {
        detail: `The index was built with the model ${descriptor.model} of ${descriptor.revision}, but OPENAI_BASE_URL leads to ${revision}; see OPENAI_EMBEDDING_REVISION`,
      });
    }
    const known = knownModel(descriptor.model);
    const asksForDimensions = known !== null && known.dimensions !== descriptor.dimensions;
    return new OpenAiEmbedder({ descriptor, baseUrl, apiKey, asksForDimensions, timeoutMs, queryTimeoutMs, batchSize });
  }

  private dimensionsOf(model: string, chosen: number | undefined): number {
    const known = knownModel(model);
    // What is configured is configured for the configured model.
    const wanted = chosen ?? (model === this.settings.model ? this.settings.dimensions : null) ?? known?.dimensions;
    if (wanted === undefined) throw unusable(model, 'how many dimensions it has is not known here; set OPENAI_EMBEDDING_DIMENSIONS');
    if (known !== null && (wanted > known.dimensions || (wanted < known.dimensions && !known.canShorten))) {
      throw unusable(model, `it has ${known.dimensions} dimensions and cannot give ${wanted}`);
    }
    return wanted;
  }
}

function unusable(model: string, why: string, cause?: unknown): FatalStartupError {
  return new FatalStartupError(`The embedding model ${model} cannot be used: ${why}`, { cause });
}

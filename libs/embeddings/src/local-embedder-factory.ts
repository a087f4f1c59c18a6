import { join } from 'node:path';
import { EmbeddingConfig } from '#config';
import { DomainError } from '#kernel';
import type { EmbedderDescriptor } from './embedder.js';
import { EmbedderFactory } from './embedder-factory.js';
import type { EmbedderOverrides } from './embedder-registry.js';
import { ModelFolderError } from './model-folder.errors.js';
import { ModelFolder } from './model-folder.js';
import { modelRevOf } from './model-rev.js';
import { bundledModelsFolder } from './package-root.js';
import { TransformersEmbedder } from './transformers/transformers-embedder.js';

/** The model that Kindred ships, and the one that new generations get. */
const BUNDLED_MODEL = 'all-MiniLM-L6-v2';
const BUNDLED_DTYPE = 'q8';

/** A name that comes from the database must not walk out of the folder of models. */
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Builds embedders from model folders on this machine. */
export class LocalEmbedderFactory extends EmbedderFactory {
  constructor(private readonly config: EmbeddingConfig) {
    super();
  }

  /** @throws ModelFolderError when the model folder is not complete, or the model reads fewer tokens than asked for */
  async describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor> {
    const { model = BUNDLED_MODEL, dtype = BUNDLED_DTYPE } = overrides;
    if (!MODEL_NAME.test(model)) throw new ModelFolderError(model, 'is not the name of a model folder');
    return this.open(model, dtype).describe({
      max_tokens: overrides.max_tokens ?? this.config.maxTokens,
      query_prefix: overrides.query_prefix ?? this.config.queryPrefix,
      document_prefix: overrides.document_prefix ?? this.config.documentPrefix,
    });
  }

  async prove(_descriptor: EmbedderDescriptor): Promise<void> {
    await Promise.resolve();
  }

  build(descriptor: EmbedderDescriptor): TransformersEmbedder {
    return new TransformersEmbedder({ descriptor, folder: this.openAsDescribed(descriptor), workers: this.config.workers });
  }

  private openAsDescribed(descriptor: EmbedderDescriptor): ModelFolder {
    let folder: ModelFolder;
    let here: EmbedderDescriptor;
    try {
      if (!MODEL_NAME.test(descriptor.model)) throw new Error(`${JSON.stringify(descriptor.model)} is not the name of a model folder`);
      folder = this.open(descriptor.model, descriptor.dtype);
      here = folder.describe(descriptor);
    } catch (error) {
      throw new DomainError('search.embedder-unavailable', { detail: `The model ${descriptor.model} cannot be used here`, cause: error });
    }
    if (modelRevOf(here) !== modelRevOf(descriptor)) {
      throw new DomainError('search.embedder-unavailable', {
        detail: `The model folder ${descriptor.model} has other weights (${here.revision}) than the index was built with (${descriptor.revision})`,
      });
    }
    return folder;
  }

  private open(model: string, dtype: EmbedderDescriptor['dtype']): ModelFolder {
    return new ModelFolder(join(this.config.modelDir ?? bundledModelsFolder(), model), dtype);
  }
}

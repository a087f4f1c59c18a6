import { EmbeddingConfig } from '#config';
import { DomainError, FatalStartupError } from '#kernel';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EmbedderDescriptor } from './embedder.js';
import { EmbedderFactory } from './embedder-factory.js';
import type { EmbedderOverrides } from './embedder-registry.js';
import { innermostMessage } from './innermost-message.js';
import { modelRevOf } from './model-rev.js';
import { HubDownload } from './models/hub-download.js';
import { HubModel } from './models/hub-model.js';
import { threadFiles, type ModelFiles } from './models/model-files.js';
import { ModelFolderError } from './models/model-folder.errors.js';
import { ModelFolder, otherWeights } from './models/model-folder.js';
import { ModelLocations, type ModelLocation } from './models/model-locations.js';
import { bundledModelsFolder } from './bundled-files.js';
import { TransformersEmbedder } from './transformers/transformers-embedder.js';

const PROOF_TEXT = 'ready?';

/** Builds embedders from model folders on this machine, and brings those of a hub there. */
export class LocalEmbedderFactory extends EmbedderFactory {
  private readonly locations: ModelLocations;
  private readonly hub: HubDownload;

  constructor(private readonly config: EmbeddingConfig) {
    super();
    this.locations = new ModelLocations(config);
    this.hub = new HubDownload(config.hubUrl);
  }

  /**
   * Downloads the model when it is on the hub and not here yet.
   *
   * @throws ModelFolderError when the model folder is not complete, or the model cannot do what is asked of it
   * @throws DomainError `search.embedder-unavailable` when it could not be downloaded
   */
  async describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor> {
    const { model = this.config.model, dtype = this.config.dtype, dimensions } = overrides;
    const location = this.locations.find(model, dtype);
    await this.bring(location, dtype);
    const folder = new ModelFolder(location.path, dtype, location.name);
    if (dimensions !== undefined && dimensions !== folder.dimensions) {
      throw new ModelFolderError(location.path, `has ${folder.dimensions} dimensions, and cannot give ${dimensions}`);
    }
    return folder.describe({
      max_tokens: overrides.max_tokens ?? this.config.maxTokens,
      query_prefix: overrides.query_prefix ?? this.config.queryPrefix,
      document_prefix: overrides.document_prefix ?? this.config.documentPrefix,
    });
  }

  /** The bundled models are tried at every release; any other is loaded in a thread of its own. */
  async prove(descriptor: EmbedderDescriptor): Promise<void> {
    const { path } = this.locations.find(descriptor.model, descriptor.dtype);
    if (dirname(path) === bundledModelsFolder()) return;
    const files = this.filesOf(descriptor);
    await files.verify();
    const embedder = new TransformersEmbedder({ descriptor, folder: files, workers: 1 });
    try {
      await embedder.embedDocuments([PROOF_TEXT]);
      await embedder.countTokens([PROOF_TEXT]);
    } catch (error) {
      throw new ModelFolderError(path, `cannot be loaded: ${innermostMessage(error)}`, error);
    } finally {
      await embedder.close();
    }
  }

  build(descriptor: EmbedderDescriptor): TransformersEmbedder {
    return new TransformersEmbedder({ descriptor, folder: this.filesOf(descriptor), workers: this.config.workers });
  }

  private filesOf(descriptor: EmbedderDescriptor): ModelFiles {
    try {
      const location = this.locations.find(descriptor.model, descriptor.dtype);
      if (!location.isOnHub || existsSync(location.path)) return this.openAsDescribed(location, descriptor);
      return new HubModel(threadFiles(location.path, descriptor.dtype), async () => {
        await this.bring(location, descriptor.dtype);
        await this.openAsDescribed(location, descriptor).verify();
      });
    } catch (error) {
      if (!(error instanceof FatalStartupError)) throw error;
      throw new DomainError('search.embedder-unavailable', { detail: `The model ${descriptor.model} cannot be used here`, cause: error });
    }
  }

  /** @throws DomainError `search.embedder-unavailable` when the folder has another model than the one that is described */
  private openAsDescribed(location: ModelLocation, descriptor: EmbedderDescriptor): ModelFiles {
    const folder = new ModelFolder(location.path, descriptor.dtype, location.name);
    const here = folder.descriptorOf(descriptor, folder.listedRevision ?? descriptor.revision);
    if (modelRevOf(here) !== modelRevOf(descriptor)) throw otherWeights(descriptor.model, here.revision, descriptor.revision);
    const { onnxFile, tokenizerFile, tokenizerConfigFile } = folder;
    return { onnxFile, tokenizerFile, tokenizerConfigFile, verify: () => folder.verifyRevision(descriptor.revision) };
  }

  private async bring({ name, path, isOnHub }: ModelLocation, dtype: EmbedderDescriptor['dtype']): Promise<void> {
    if (isOnHub && !existsSync(path)) await this.hub.fetch(name, dtype, path);
  }
}

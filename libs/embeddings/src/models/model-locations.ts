import type { EmbeddingConfig } from '#config';
import { existsSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';
import type { EmbedderDescriptor } from '../embedder.js';
import { bundledModelsFolder } from '../bundled-files.js';
import { ModelFolderError } from './model-folder.errors.js';

/** Where a model lies, or will lie. */
export interface ModelLocation {
  /** What a descriptor calls it; no path, since descriptors leave the process. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Whether it can be downloaded when it is not there. */
  readonly isOnHub: boolean;
}

/** Names come from the database and the API as well: they must not walk out of a folder of models. */
const FOLDER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const HUB_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Finds models by what an operator or a descriptor calls them. */
export class ModelLocations {
  constructor(private readonly config: Pick<EmbeddingConfig, 'model' | 'modelDir' | 'downloadDir'>) {}

  /**
   * Finds the folder of a model: a path only when it is the configured one; a name in `EMBEDDING_MODEL_DIR`, then among the models that ship with Kindred;
   * `owner/name` in `EMBEDDING_MODEL_DIR`, then where downloads go.
   *
   * @throws ModelFolderError when it is none of these
   */
  find(model: string, dtype: EmbedderDescriptor['dtype']): ModelLocation {
    const configured = this.configuredFolder();
    if (configured !== null && (model === this.config.model || model === configured.name)) return configured;
    const own = this.config.modelDir === null ? null : join(this.config.modelDir, model);
    if (HUB_NAME.test(model)) {
      if (own !== null && existsSync(own)) return { name: model, path: own, isOnHub: false };
      return { name: model, path: join(this.config.downloadDir, model, dtype), isOnHub: true };
    }
    if (!FOLDER_NAME.test(model)) throw new ModelFolderError(model, 'is not the name of a model folder');
    const bundled = join(bundledModelsFolder(), model);
    return { name: model, path: own === null || (!existsSync(own) && existsSync(bundled)) ? bundled : own, isOnHub: false };
  }

  private configuredFolder(): ModelLocation | null {
    const { model } = this.config;
    if (!isAbsolute(model) && !/^\.{1,2}[/\\]/.test(model)) return null;
    const path = resolve(model);
    const name = basename(path);
    if (!FOLDER_NAME.test(name)) throw new ModelFolderError(path, 'has a name that is not made of letters, digits, ., _ and - alone');
    return { name, path, isOnHub: false };
  }
}

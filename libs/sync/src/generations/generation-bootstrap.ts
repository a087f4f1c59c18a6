import type { RelayUnitOfWork } from '#database';
import { modelRevOf, type EmbedderDescriptor, type EmbedderRegistry } from '#embeddings';
import { Logger } from '@nestjs/common';
import type { IndexSource } from '../index-source.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import { newCollectionName } from './collection-name.js';
import { createFirstGeneration } from './create-first-generation.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { IndexGeneration } from './index-generation.js';

/** Sees to it that every source has a generation that answers queries. */
export class GenerationBootstrap {
  private readonly logger = new Logger('GenerationBootstrap');

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly embedders: EmbedderRegistry,
    private readonly sources: IndexSourceRegistry,
    private readonly catalog: GenerationCatalog,
    private readonly collectionPrefix: string,
  ) {}

  /**
   * Creates what is missing, once among any number of replicas, and returns the generations of the sources of this process. Does not touch the store.
   *
   * @throws FatalStartupError when there is no model for the first generation, or it does not work here
   * @throws DomainError `search.embedder-unavailable` when it may work later
   */
  async run(): Promise<IndexGeneration[]> {
    this.catalog.invalidate();
    let generations = await this.catalog.list();
    const missing = this.sources.all().filter(({ name }) => !generations.some(({ source }) => source === name));
    if (missing.length > 0) {
      const embedder = await this.embedders.describeConfigured();
      // A generation keeps its embedder for good: one that never works would be an index that never answers.
      await this.embedders.prove(embedder);
      for (const source of missing) await this.create(source, embedder);
      this.catalog.invalidate();
      generations = await this.catalog.list();
    }
    const own = generations.filter(({ source }) => this.sources.all().some(({ name }) => name === source));
    await this.warnOfChanges(own.filter(({ state }) => state === 'serving'));
    return own;
  }

  private async create(source: IndexSource, embedder: EmbedderDescriptor): Promise<void> {
    const isOurs = await createFirstGeneration(this.unitOfWork, {
      source: source.name,
      nameCollection: (id) => newCollectionName(this.collectionPrefix, source.name, id),
      modelRev: modelRevOf(embedder),
      templateRev: source.templateRev,
      embedder,
    });
    if (isOurs) this.logger.log(`Created the first generation of ${source.name} with the model ${embedder.model}`);
  }

  /** An existing index keeps its model and template: mixing two in one index would make its scores mean nothing. */
  private async warnOfChanges(serving: readonly IndexGeneration[]): Promise<void> {
    if (serving.length === 0) return;
    let configured: string | null = null;
    try {
      configured = modelRevOf(await this.embedders.describeConfigured());
    } catch (error) {
      // The generation has its own descriptor; whether that can be used is seen when it is loaded.
      this.logger.warn(`The configured model cannot be described: ${error instanceof Error ? error.message : String(error)}`);
    }
    for (const generation of serving) {
      const { templateRev } = this.sources.get(generation.source);
      if (configured !== null && configured !== generation.modelRev) {
        this.logger.warn(
          `The configured model (${configured}) is not the one that the index of ${generation.source} was built with (${generation.modelRev}, ${generation.embedder.model}). The index keeps its own until a new generation is built.`,
        );
      }
      if (templateRev !== generation.templateRev) {
        this.logger.warn(
          `The text template of ${generation.source} is ${templateRev}, but its index was built with ${generation.templateRev}. Rows that change use the new one; build a new generation to convert the others.`,
        );
      }
    }
  }
}

import type { RelayUnitOfWork, WithinWrite } from '#database';
import { modelRevOf, type EmbedderDescriptor, type EmbedderOverrides, type EmbedderRegistry } from '#embeddings';
import { crashPoint, DomainError, FatalStartupError } from '#kernel';
import { Logger } from '@nestjs/common';
import type { IndexSource } from '../index-source.js';
import type { IndexSourceRegistry } from '../index-source-registry.js';
import { newCollectionName } from './collection-name.js';
import { createBuildingGeneration } from './create-building-generation.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { GenerationPlan, GenerationPlanner } from './generation-planner.js';
import type { GenerationRecord } from './generation-record.js';
import { getGenerationRecord, listGenerationRecords } from './read-generation-records.js';

/** As for `EMBEDDING_MAX_TOKENS`: two of them are markers, and a text of fewer words says nothing. */
const LEAST_TOKENS = 8;

/** What a new generation does differently; nothing = the same once more. The text template is always the source's own of now. */
export type GenerationChange = EmbedderOverrides;

/** Plans and creates generations; what follows from their rows is the supervisor's. */
export class GenerationCreator {
  private readonly logger = new Logger('GenerationCreator');

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly embedders: EmbedderRegistry,
    private readonly sources: IndexSourceRegistry,
    private readonly catalog: GenerationCatalog,
    private readonly planner: GenerationPlanner,
    private readonly collectionPrefix: string,
  ) {}

  /** @throws DomainError `generations.not-found` for an unknown source, `generations.model-unusable`, `request.invalid` */
  async plan(sourceName: string, change: GenerationChange, signal: AbortSignal): Promise<GenerationPlan> {
    const source = this.sourceOf(sourceName);
    return this.planner.plan(source, await this.describe(change), signal);
  }

  /**
   * Commits the row of a generation that is to be filled, and returns its id.
   *
   * @param within is committed together with the row
   * @throws DomainError `generations.not-found`, `generations.model-unusable`, `request.invalid`, `generations.conflict`, `search.not-ready`,
   *   `search.embedder-unavailable` when the embedder may work later
   */
  async create(
    sourceName: string,
    change: GenerationChange,
    reason: string | null,
    within?: WithinWrite<GenerationRecord>,
  ): Promise<number> {
    const source = this.sourceOf(sourceName);
    const embedder = await this.describe(change);
    await this.usable(() => this.embedders.prove(embedder));
    const id = await this.unitOfWork.run(async (session) => {
      const created = await createBuildingGeneration(session, {
        source: source.name,
        nameCollection: (reserved) => newCollectionName(this.collectionPrefix, source.name, reserved),
        modelRev: modelRevOf(embedder),
        templateRev: source.templateRev,
        embedder,
        reason,
      });
      if (created !== null) await within?.(session, (await getGenerationRecord(session, created))!);
      return created;
    });
    this.catalog.invalidate();
    if (id === null) throw await this.refusal(source.name);
    crashPoint('generation.created');
    this.logger.log(`Generation ${id} of ${source.name} is being built with ${embedder.model} (template ${source.templateRev})`);
    return id;
  }

  private async refusal(source: string): Promise<DomainError> {
    const own = (await listGenerationRecords(this.unitOfWork, false)).filter((generation) => generation.source === source);
    if (!own.some(({ state }) => state === 'serving')) return new DomainError('search.not-ready');
    const building = own.find(({ state }) => state === 'building');
    const which = building === undefined ? 'Another generation' : `Generation ${building.id}`;
    return new DomainError('generations.conflict', { detail: `${which} of ${source} is being built; switch to it or retire it first` });
  }

  private sourceOf(name: string): IndexSource {
    const source = this.sources.all().find((candidate) => candidate.name === name);
    if (source === undefined) throw new DomainError('generations.not-found', { detail: `There is no source ${JSON.stringify(name)}` });
    return source;
  }

  private async describe(change: GenerationChange): Promise<EmbedderDescriptor> {
    const { max_tokens } = change;
    if (max_tokens !== undefined && (!Number.isInteger(max_tokens) || max_tokens < LEAST_TOKENS)) {
      const detail = `must be a whole number of at least ${LEAST_TOKENS}`;
      throw new DomainError('request.invalid', { fields: [{ pointer: '/max_tokens', code: 'out-of-range', detail }] });
    }
    return this.usable(() => this.embedders.describe(change));
  }

  private async usable<T>(look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      if (!(error instanceof FatalStartupError)) throw error;
      // The message names a path of this machine.
      this.logger.warn(error.message);
      throw new DomainError('generations.model-unusable', { cause: error });
    }
  }
}

import type { RelayUnitOfWork } from '#database';
import { crashPoint } from '#kernel';
import type { VectorStore } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { LocalIndexComparison } from '../comparison/local-index-comparison.js';
import type { IndexSource } from '../index-source.js';
import { DATABASE_ID_KEY, findStrangeness, readDatabaseId } from '../restore/database-identity.js';
import { ForeignCollectionError } from '../restore/foreign-collection-error.js';
import type { RestoreGuard } from '../restore/restore-guard.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { IndexGeneration } from './index-generation.js';
import { markGeneration } from './mark-generation.js';
import { getGenerationRecord } from './read-generation-records.js';
import type { ServingAlias } from './serving-alias.js';

/** Metadata key: the ledger's entries were marked after this collection was created. A collection without it is not trusted to be complete. */
const ATTACHED_KEY = 'attached';

/** Thrown when a generation was retired meanwhile: its collection must not come back. */
export class GenerationRetiredError extends Error {
  constructor(generationId: number) {
    super(`Generation ${generationId} is retired; its collection is not created again`);
    this.name = 'GenerationRetiredError';
  }
}

export interface AttachResult {
  /** Entries that have to be written again because the collection was new, or differed. */
  readonly marked: number;
}

/** Makes the collection of a generation ready to be written to, and lets the relay at it. */
export class CollectionAttacher {
  private readonly logger = new Logger('CollectionAttacher');

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly store: VectorStore,
    private readonly catalog: GenerationCatalog,
    private readonly comparison: LocalIndexComparison,
    private readonly restoreGuard: RestoreGuard,
    private readonly alias: ServingAlias,
  ) {}

  /**
   * Creates or completes the collection; marks all entries when it was lost, what differs when the store is local, and heals when a side was restored.
   * Idempotent, also when it dies half way: only a collection whose entries were marked carries the note that says so.
   *
   * @throws ForeignCollectionError, VectorStoreError; GenerationRetiredError, and then there is no collection
   */
  async attach(generation: IndexGeneration, source: IndexSource, signal?: AbortSignal): Promise<AttachResult> {
    const { collection } = generation;
    if (await this.isRetired(generation)) throw new GenerationRetiredError(generation.id);
    const databaseId = await readDatabaseId(this.unitOfWork);
    const metadata = {
      source: generation.source,
      generation: generation.id,
      model_rev: generation.modelRev,
      template_rev: generation.templateRev,
      [DATABASE_ID_KEY]: databaseId,
    };
    const known = await this.store.info(collection);
    const strangeness = known === null ? null : findStrangeness(known, generation, databaseId);
    if (strangeness !== null) throw new ForeignCollectionError(strangeness);
    await this.store.ensureIndex({ name: collection, dimensions: generation.dimensions, payloadIndexes: source.payloadIndexes, metadata });
    crashPoint('generation.collection-created');
    if (await this.isRetired(generation)) {
      // Retired, and perhaps dropped, since the first look: nobody else would ever remove what has just been created.
      if (known === null) await this.store.drop(collection);
      throw new GenerationRetiredError(generation.id);
    }
    if (known !== null && known.metadata[DATABASE_ID_KEY] === undefined) {
      await this.store.setMetadata(collection, { [DATABASE_ID_KEY]: databaseId });
    }
    let marked = 0;
    if (known?.metadata[ATTACHED_KEY] !== 1) {
      marked += await markGeneration(this.unitOfWork, generation.id, signal);
      if (marked > 0) this.logger.warn(`The collection ${collection} is new: ${marked} entries are written again`);
      await this.store.setMetadata(collection, { [ATTACHED_KEY]: 1 });
    }
    if (this.store.source === 'local') {
      const result = await this.comparison.run(generation, signal);
      marked += result.marked + result.entered;
      // An old snapshot holds an old epoch, and has just been compared entry by entry.
      await this.restoreGuard.adopt(generation, signal);
    } else {
      await this.restoreGuard.settle(generation, signal);
    }
    if (generation.state === 'serving') await this.pointAlias(generation.source);
    // The store may have lost points since they were compared.
    signal?.throwIfAborted();
    this.catalog.attach(generation.id);
    return { marked };
  }

  /** Kindred itself works without the alias, and the supervisor tries again. */
  private async pointAlias(source: string): Promise<void> {
    try {
      await this.alias.repair(source);
    } catch (error) {
      this.logger.warn(`The alias of ${source} cannot be set: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async isRetired({ id }: IndexGeneration): Promise<boolean> {
    return (await getGenerationRecord(this.unitOfWork, id))?.state === 'retired';
  }
}

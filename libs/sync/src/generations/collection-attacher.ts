import type { RelayUnitOfWork } from '#database';
import type { VectorStore } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { LocalIndexComparison } from '../comparison/local-index-comparison.js';
import type { IndexSource } from '../index-source.js';
import type { GenerationCatalog } from './generation-catalog.js';
import type { IndexGeneration } from './index-generation.js';
import { markGeneration } from './mark-generation.js';

/** Metadata key: the ledger's entries were marked after this collection was created. A collection without it is not trusted to be complete. */
const ATTACHED_KEY = 'attached';

/** Thrown for a collection that belongs to somebody else; it is never written to. */
export class ForeignCollectionError extends Error {
  constructor(collection: string) {
    super(`The collection ${collection} exists, but says that it belongs to another generation; it is left alone`);
    this.name = 'ForeignCollectionError';
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
    private readonly collectionPrefix: string,
  ) {}

  /**
   * Creates or completes the collection; marks all entries when it was lost, and what differs when the store is local. Idempotent, also when it dies
   * half way: only a collection whose entries were marked carries the note that says so.
   *
   * @throws ForeignCollectionError, VectorStoreError
   */
  async attach(generation: IndexGeneration, source: IndexSource, signal?: AbortSignal): Promise<AttachResult> {
    const { collection } = generation;
    const metadata = {
      source: generation.source,
      generation: generation.id,
      model_rev: generation.modelRev,
      template_rev: generation.templateRev,
    };
    const known = await this.store.info(collection);
    const isForeign = (key: 'source' | 'generation' | 'model_rev'): boolean =>
      known?.metadata[key] !== undefined && known.metadata[key] !== metadata[key];
    if (isForeign('source') || isForeign('generation') || isForeign('model_rev')) throw new ForeignCollectionError(collection);
    await this.store.ensureIndex({ name: collection, dimensions: generation.dimensions, payloadIndexes: source.payloadIndexes, metadata });
    let marked = 0;
    if (known?.metadata[ATTACHED_KEY] !== 1) {
      marked += await markGeneration(this.unitOfWork, generation.id, signal);
      if (marked > 0) this.logger.warn(`The collection ${collection} is new: ${marked} entries are written again`);
      await this.store.setMetadata(collection, { [ATTACHED_KEY]: 1 });
    }
    if (this.store.source === 'local') {
      const result = await this.comparison.run(generation, signal);
      marked += result.marked + result.entered;
    }
    if (generation.state === 'serving') await this.pointAlias(generation);
    this.catalog.attach(generation.id);
    return { marked };
  }

  /** The alias is a courtesy to outside readers: Kindred itself works without. */
  private async pointAlias(generation: IndexGeneration): Promise<void> {
    const alias = `${this.collectionPrefix}_${generation.source}`;
    try {
      if ((await this.store.getAlias(alias)) !== generation.collection) await this.store.setAlias(alias, generation.collection);
    } catch (error) {
      this.logger.warn(`The alias ${alias} cannot be set: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

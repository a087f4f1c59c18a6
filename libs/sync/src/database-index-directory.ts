import type { UnitOfWork } from '#database';
import { modelLabelOf, type EmbedderRegistry } from '#embeddings';
import { DomainError, type Clock } from '#kernel';
import type { GenerationCatalog } from './generations/generation-catalog.js';
import type { IndexGeneration } from './generations/index-generation.js';
import { countPending } from './ledger/count-pending.js';
import { getEntryStatus } from './ledger/get-entry-status.js';
import type { IndexRelay } from './relay/index-relay.js';
import { IndexDirectory, type IndexEntryStatus, type ServingIndex } from './serving-index.js';

const PENDING_MAX_AGE_MS = 1_000;

interface PendingCount {
  readonly value: Promise<number>;
  readonly readAtMs: number;
}

/** The directory on `index_generations` and the ledger. */
export class DatabaseIndexDirectory extends IndexDirectory {
  private readonly pending = new Map<number, PendingCount>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly catalog: GenerationCatalog,
    private readonly embedders: EmbedderRegistry,
    private readonly relay: IndexRelay,
    private readonly clock: Clock,
  ) {
    super();
  }

  async serving(source: string): Promise<ServingIndex> {
    const generation = await this.servingGeneration(source);
    return {
      generationId: generation.id,
      source,
      collection: generation.collection,
      embedder: this.embedders.get(generation.embedder),
      modelLabel: modelLabelOf(generation.embedder),
    };
  }

  async pendingCount(source: string): Promise<number> {
    const { id } = await this.servingGeneration(source);
    const known = this.pending.get(id);
    if (known !== undefined && this.clock.monotonicMs() - known.readAtMs < PENDING_MAX_AGE_MS) return known.value;
    // The promise is what is cached, so that callers at the same time share one count.
    const value = countPending(this.unitOfWork, id);
    const entry = { value, readAtMs: this.clock.monotonicMs() };
    this.pending.set(id, entry);
    value.catch(() => {
      if (this.pending.get(id) === entry) this.pending.delete(id);
    });
    return value;
  }

  async entryStatus(source: string, sourceId: string): Promise<IndexEntryStatus | null> {
    return getEntryStatus(this.unitOfWork, source, sourceId);
  }

  wake(): void {
    this.relay.wake();
  }

  private async servingGeneration(source: string): Promise<IndexGeneration> {
    const generation = (await this.catalog.list()).find((candidate) => candidate.source === source && candidate.state === 'serving');
    if (generation === undefined) throw new DomainError('search.not-ready');
    return generation;
  }
}

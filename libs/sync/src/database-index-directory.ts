import type { UnitOfWork } from '#database';
import { modelLabelOf, type EmbedderRegistry } from '#embeddings';
import { DomainError, type Clock } from '#kernel';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { BacklogCounter } from './consistency/backlog-counter.js';
import type { ConsistencyToken } from './consistency/consistency-token.js';
import { TokenIssuer } from './consistency/token-issuer.js';
import { TokenWaiters } from './consistency/token-waiters.js';
import type { GenerationCatalog } from './generations/generation-catalog.js';
import type { IndexGeneration } from './generations/index-generation.js';
import { countPending } from './ledger/count-pending.js';
import { countStates } from './ledger/count-states.js';
import { getEntryStatus } from './ledger/get-entry-status.js';
import type { IndexRelay } from './relay/index-relay.js';
import { IndexDirectory, type IndexEntryCounts, type IndexEntryStatus, type ServingIndex, type TokenSearch } from './serving-index.js';

const PENDING_MAX_AGE_MS = 1_000;

interface PendingCount {
  readonly value: Promise<number>;
  readonly readAtMs: number;
}

/** What the directory needs of the relay of its process; a process without one has nothing to wake and hears of nothing. */
export type RelaySignals = Pick<IndexRelay, 'wake' | 'onRecorded'>;

/** The directory on `index_generations` and the ledger. */
export class DatabaseIndexDirectory extends IndexDirectory implements BeforeApplicationShutdown {
  private readonly pending = new Map<number, PendingCount>();
  private readonly backlogs: BacklogCounter;
  private readonly issuer: TokenIssuer;
  private readonly waiters: TokenWaiters;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly catalog: GenerationCatalog,
    private readonly embedders: EmbedderRegistry,
    private readonly relay: RelaySignals,
    private readonly clock: Clock,
  ) {
    super();
    const servingId = async (source: string) => (await this.findServing(source))?.id ?? null;
    this.backlogs = new BacklogCounter(unitOfWork);
    this.issuer = new TokenIssuer({ session: unitOfWork, servingId, clock });
    this.waiters = new TokenWaiters({ session: unitOfWork, servingId, onSuperseded: () => catalog.invalidate(), clock });
    relay.onRecorded((sourceId) => this.waiters.notice(sourceId));
  }

  beforeApplicationShutdown(): void {
    this.waiters.close();
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

  async entryCounts(source: string, sourceIds: readonly string[]): Promise<IndexEntryCounts> {
    return countStates(this.unitOfWork, source, sourceIds);
  }

  async tokenFor(source: string, sourceId: string): Promise<ConsistencyToken | null> {
    return this.issuer.issue(source, sourceId);
  }

  async waitForToken(token: ConsistencyToken, waitMs: number): Promise<TokenSearch> {
    const deadlineMs = this.clock.monotonicMs() + waitMs;
    for (;;) {
      const remainingMs = Math.max(0, deadlineMs - this.clock.monotonicMs());
      const { generationId, state } = await this.waiters.wait(token, remainingMs);
      const serving = await this.serving(token.source);
      if (serving.generationId === generationId) return { serving, state };
      // Another generation serves since: what was seen says nothing about it.
      if (generationId === null || remainingMs === 0) return { serving, state: 'behind' };
    }
  }

  async backlog({ generationId }: ServingIndex): Promise<number> {
    return this.backlogs.count(generationId);
  }

  wake(): void {
    this.relay.wake();
  }

  private async servingGeneration(source: string): Promise<IndexGeneration> {
    const generation = await this.findServing(source);
    if (generation === undefined) throw new DomainError('search.not-ready');
    return generation;
  }

  private async findServing(source: string): Promise<IndexGeneration | undefined> {
    return (await this.catalog.list(this.unitOfWork)).find((candidate) => candidate.source === source && candidate.state === 'serving');
  }
}

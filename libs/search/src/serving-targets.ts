import { IndexDirectory, type ServingIndex, type TokenState } from '#sync';
import { Injectable } from '@nestjs/common';
import type { ConsistencyDemand, Freshness, IndexView, Provenance } from './search-types.js';

/** The index to search, and how far it has come with the write that the search names; `null` = it names none. */
export interface Target {
  readonly serving: ServingIndex;
  readonly state: TokenState | null;
}

/** Says which index a search asks, and how far that index is behind the rows. */
@Injectable()
export class ServingTargets {
  constructor(private readonly directory: IndexDirectory) {}

  /**
   * The serving index of a source, as soon as it has reached the write that the search names, or the time for that is over.
   *
   * @throws DomainError `search.not-ready`
   */
  async find(source: string, demand: ConsistencyDemand | undefined): Promise<Target> {
    if (demand !== undefined) return this.directory.waitForToken(demand.token, demand.waitMs);
    return { serving: await this.directory.serving(source), state: null };
  }

  /** A search whose write is not there yet says exactly how much is pending; otherwise the number may be a second old. */
  async view({ serving, state }: Target): Promise<IndexView> {
    const isExact = state !== null && state !== 'reached';
    const pending = await (isExact ? this.directory.backlog(serving) : this.directory.pendingCount(serving.source));
    return { generation: String(serving.generationId), model: serving.modelLabel, pending };
  }

  /** A copy that answered instead of the index may be behind it: nobody can be certain that it has the write. */
  async freshness({ serving, state }: Target, provenance: Provenance, index: IndexView): Promise<Freshness> {
    const reply = { ...provenance, index };
    if (state === null) return reply;
    if (state !== 'reached') return { ...reply, consistency: { isFresh: false, backlog: index.pending } };
    if (!provenance.isDegraded) return { ...reply, consistency: { isFresh: true, backlog: null } };
    const pending = await this.directory.backlog(serving);
    return { ...provenance, index: { ...index, pending }, consistency: { isFresh: false, backlog: pending } };
  }
}

import type { RelayUnitOfWork } from '#database';
import type { VectorStore } from '#vector-store';
import { Logger } from '@nestjs/common';
import { deleteEntries, hasEntries } from '../ledger/delete-entries.js';
import type { SyncLeases } from '../leases/sync-leases.js';
import { pause } from '../pause.js';
import { findStrangeness, readDatabaseId } from '../restore/database-identity.js';
import { listDueRetirements, listLeftovers, markDropped } from './due-retirements.js';
import type { IndexGeneration } from './index-generation.js';
import type { ServingAlias } from './serving-alias.js';

const DELETE_BATCH = 1_000;
const LOCKED_RETRY_MS = 50;

/** Removes what retired generations leave behind: the collection, then the ledger's entries. The row stays, so that its name is never used again. */
export class RetiredCollections {
  private readonly logger = new Logger('RetiredCollections');

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly store: VectorStore,
    private readonly leases: SyncLeases,
    private readonly alias: ServingAlias,
    private readonly graceMs: number,
  ) {}

  /** Removes what is due, one process at a time; returns the generations that are gone. Resumable after a crash at any point. */
  async removeDue(signal?: AbortSignal): Promise<number[]> {
    const removed: number[] = [];
    for (const retirement of await listDueRetirements(this.unitOfWork, this.graceMs)) {
      signal?.throwIfAborted();
      const lease = await this.leases.acquire(`drop:${retirement.id}`);
      if (lease === null) continue;
      try {
        await this.remove(retirement, signal === undefined ? lease.signal : AbortSignal.any([signal, lease.signal]));
        removed.push(retirement.id);
      } finally {
        await lease.release();
      }
    }
    return removed;
  }

  /** Deletes entries that late writers made for generations that were dropped already. */
  async sweep(signal?: AbortSignal): Promise<void> {
    for (const id of await listLeftovers(this.unitOfWork)) await this.deleteEntries(id, signal);
  }

  private async remove(generation: IndexGeneration, signal: AbortSignal): Promise<void> {
    const { id, source, collection } = generation;
    // The alias would go with the collection that it points at.
    await this.alias.repair(source);
    if (await this.isOurs(generation)) await this.store.drop(collection);
    const entries = await this.deleteEntries(id, signal);
    await markDropped(this.unitOfWork, id);
    this.logger.log(`Generation ${id} of ${source} is removed: the collection ${collection} and ${entries} entries`);
  }

  /** A collection that says that it belongs to somebody else is never removed, whatever its name. */
  private async isOurs(generation: IndexGeneration): Promise<boolean> {
    const info = await this.store.info(generation.collection);
    if (info === null) return false;
    const strangeness = findStrangeness(info, generation, await readDatabaseId(this.unitOfWork));
    if (strangeness !== null) this.logger.error(`Generation ${generation.id} is retired, but its collection stays: ${strangeness}`);
    return strangeness === null;
  }

  private async deleteEntries(generationId: number, signal?: AbortSignal): Promise<number> {
    let deleted = 0;
    for (;;) {
      signal?.throwIfAborted();
      const count = await deleteEntries(this.unitOfWork, generationId, DELETE_BATCH);
      deleted += count;
      if (count > 0) continue;
      if (!(await hasEntries(this.unitOfWork, generationId))) return deleted;
      // A writer that did not know of the retirement holds the rest.
      await pause(LOCKED_RETRY_MS, signal);
    }
  }
}

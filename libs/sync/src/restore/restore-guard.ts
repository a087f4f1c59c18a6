import type { RelayUnitOfWork } from '#database';
import { crashPoint, type IdGenerator } from '#kernel';
import { VectorStoreError, type VectorStore } from '#vector-store';
import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import { markGeneration } from '../generations/mark-generation.js';
import { lastVersion, raiseVersionSequence } from '../ledger/raise-version-sequence.js';
import type { HeldLease } from '../leases/held-lease.js';
import type { SyncLeases } from '../leases/sync-leases.js';
import { pause } from '../pause.js';
import { findStrangeness, readDatabaseId } from './database-identity.js';
import { enterIndexOnly } from './enter-index-only.js';
import { advanceEpoch, graceLeftMs, pauseGeneration, readEpoch, renewEpoch, resumeGeneration } from './epoch-rows.js';
import { ForeignCollectionError } from './foreign-collection-error.js';
import { highestRevAbove, isIndexAhead } from './highest-rev.js';

/**
 * - `in-step`: both sides hold the same epoch
 * - `advanced`: they do now; the collection had none yet, or an advance had got no further than the database
 * - `restored`: one side is a copy from another time, or a healing has not come to its end: {@link RestoreGuard.heal} is due
 */
export type EpochState = 'in-step' | 'advanced' | 'restored';

export interface RestoreGuardParts {
  readonly unitOfWork: RelayUnitOfWork;
  readonly store: VectorStore;
  readonly leases: SyncLeases;
  readonly ids: IdGenerator;
  /** After which no write from before the pause can land any more; as the relay's. Milliseconds. */
  readonly graceMs: number;
  /** Called when relays may claim again. Must not throw. */
  readonly onResumed: () => void;
}

/** Metadata key of the collection. */
const EPOCH_KEY = 'epoch';
const MISMATCH_TRIES = 3;
const MISMATCH_PAUSE_MS = 100;
/** While waiting for the grace. */
const GRACE_LOOK_MS = 1_000;
const PAUSE_REASON = 'One side was restored: database and index are not of the same time';

/**
 * Notices that database or index was replaced by an older copy, and heals it (protocol rule 10).
 *
 * Both sides hold an epoch that changes with every check. A restored side holds an old one. Without this, a restored database gives out versions that the
 * fence of the index refuses while it answers "completed".
 */
export class RestoreGuard implements BeforeApplicationShutdown {
  private readonly logger = new Logger('RestoreGuard');
  private readonly stopping = new AbortController();
  private readonly healings = new Map<number, Promise<boolean>>();

  constructor(private readonly parts: RestoreGuardParts) {}

  /**
   * Compares the epochs, and the revs of the index with the versions that the database has given out; finishes an advance that a process left half done.
   *
   * @throws ForeignCollectionError, VectorStoreError
   */
  async check(generation: IndexGeneration, signal?: AbortSignal): Promise<EpochState> {
    const { unitOfWork, store } = this.parts;
    const state = await this.compareEpochs(generation, signal);
    if (state === 'restored') return state;
    return (await isIndexAhead(unitOfWork, store, generation.collection, signal)) ? 'restored' : state;
  }

  /**
   * Gives both sides a new epoch, the database first; returns whether it did. Does nothing when the collection does not hold the current one, or when another
   * process is faster.
   *
   * @throws VectorStoreError
   */
  async advance(generation: IndexGeneration, signal?: AbortSignal): Promise<boolean> {
    const { unitOfWork, ids } = this.parts;
    const held = await this.readCollection(generation, signal);
    const row = await readEpoch(unitOfWork, generation.id);
    if (row === null || held !== row.epoch) return false;
    const epoch = ids.uuid();
    if (!(await advanceEpoch(unitOfWork, generation.id, row.epoch, epoch))) return false;
    crashPoint('epoch.advanced');
    await this.writeCollection(generation, epoch, signal);
    return true;
  }

  /** Gives both sides a new epoch, whatever they hold: for a collection that was just compared with the ledger, entry by entry. Heals when that is due. */
  async adopt(generation: IndexGeneration, signal?: AbortSignal): Promise<void> {
    const { unitOfWork, ids } = this.parts;
    const row = await readEpoch(unitOfWork, generation.id);
    if (row === null) return;
    if (row.isPaused) {
      await this.heal(generation, signal);
      return;
    }
    const epoch = ids.uuid();
    await renewEpoch(unitOfWork, generation.id, epoch);
    await this.writeCollection(generation, epoch, signal);
  }

  /** {@link check}, and {@link heal} when that is due. */
  async settle(generation: IndexGeneration, signal?: AbortSignal): Promise<EpochState> {
    const state = await this.check(generation, signal);
    if (state === 'restored') await this.heal(generation, signal);
    return state;
  }

  /**
   * Heals a restored side: relays pause, the versions move above every rev, all entries are marked, points without an entry get one, then both sides get
   * a new epoch and the relays go on. Takes the grace, and a few seconds for each 100,000 rows. A process that dies on the way leaves the generation paused,
   * and the next check of any process heals it from the start; every step may be repeated.
   *
   * @returns whether it is healed; `false` when another process is at it
   */
  heal(generation: IndexGeneration, signal?: AbortSignal): Promise<boolean> {
    const underWay = this.healings.get(generation.id);
    if (underWay !== undefined) return underWay;
    const healing = this.healOnce(generation, signal).finally(() => this.healings.delete(generation.id));
    this.healings.set(generation.id, healing);
    return healing;
  }

  /** Begins to {@link heal}; failures are logged, and the next check tries again. */
  healInBackground(generation: IndexGeneration): void {
    this.heal(generation).catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.logger.error(`Generation ${generation.id} could not be healed: ${String(error)}`);
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    await Promise.allSettled([...this.healings.values()]);
  }

  private async healOnce(generation: IndexGeneration, called?: AbortSignal): Promise<boolean> {
    const lease = await this.parts.leases.acquire(`restore:${generation.id}`);
    if (lease === null) return false;
    const signal = AbortSignal.any([lease.signal, this.stopping.signal, ...(called === undefined ? [] : [called])]);
    try {
      // Another process may have done it while this one waited for the lease.
      if ((await this.check(generation, signal)) !== 'restored') return true;
      await this.healUnder(lease, generation, signal);
      return true;
    } finally {
      await lease.release();
    }
  }

  private async healUnder(lease: HeldLease, generation: IndexGeneration, signal: AbortSignal): Promise<void> {
    const { unitOfWork, store, ids, graceMs, onResumed } = this.parts;
    this.logger.error(`Generation ${generation.id}: ${PAUSE_REASON}. Its relays pause, and all of it is compared and written again.`);
    await unitOfWork.run(async (session) => {
      await lease.assertIn(session);
      await pauseGeneration(session, generation.id, PAUSE_REASON);
    });
    crashPoint('restore.paused');
    await this.waitForGrace(generation, graceMs, signal);
    const highest = await highestRevAbove(store, generation.collection, await lastVersion(unitOfWork), signal);
    await unitOfWork.run(async (session) => {
      await lease.assertIn(session);
      await raiseVersionSequence(session, highest);
    });
    crashPoint('restore.sequence-raised');
    const marked = await markGeneration(unitOfWork, generation.id, signal);
    const entered = await enterIndexOnly(unitOfWork, store, generation, signal);
    crashPoint('restore.marked');
    const epoch = ids.uuid();
    await unitOfWork.run(async (session) => {
      await lease.assertIn(session);
      await renewEpoch(session, generation.id, epoch);
    });
    await this.writeCollection(generation, epoch, signal);
    await unitOfWork.run(async (session) => {
      await lease.assertIn(session);
      await resumeGeneration(session, generation.id);
    });
    this.logger.warn(`Generation ${generation.id} goes on: ${marked} entries are written again, ${entered} points had no entry`);
    onResumed();
  }

  private async waitForGrace(generation: IndexGeneration, graceMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = await graceLeftMs(this.parts.unitOfWork, generation.id, graceMs);
      if (leftMs <= 0) return;
      await pause(Math.min(GRACE_LOOK_MS, leftMs), signal);
    }
  }

  /** The collection is read first: an advance of another replica in between makes it look old, never new, and its old epoch is accepted. */
  private async compareEpochs(generation: IndexGeneration, signal?: AbortSignal): Promise<EpochState> {
    for (let tries = 1; ; tries++) {
      const held = await this.readCollection(generation, signal);
      const row = await readEpoch(this.parts.unitOfWork, generation.id);
      if (row === null) throw new Error(`There is no generation ${generation.id}`);
      if (row.isPaused) return 'restored';
      if (held === row.epoch) return 'in-step';
      if (held === null || held === row.previousEpoch) {
        await this.writeCollection(generation, row.epoch, signal);
        return 'advanced';
      }
      // Two advances may have come between the two reads.
      if (tries === MISMATCH_TRIES) return 'restored';
      await pause(MISMATCH_PAUSE_MS, signal);
    }
  }

  private async readCollection(generation: IndexGeneration, signal?: AbortSignal): Promise<string | null> {
    const info = await this.parts.store.info(generation.collection, { signal });
    if (info === null) throw new VectorStoreError('collection-missing', `There is no collection ${generation.collection}`);
    // Healing would enter, and so delete, the points of somebody else.
    const strangeness = findStrangeness(info, generation, await readDatabaseId(this.parts.unitOfWork));
    if (strangeness !== null) throw new ForeignCollectionError(strangeness);
    const epoch = info.metadata[EPOCH_KEY];
    return epoch === undefined || epoch === null ? null : String(epoch);
  }

  private async writeCollection(generation: IndexGeneration, epoch: string, signal?: AbortSignal): Promise<void> {
    await this.parts.store.setMetadata(generation.collection, { [EPOCH_KEY]: epoch }, { signal });
  }
}

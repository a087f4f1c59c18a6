import type { UnitOfWork } from '#database';
import { crashPoint, DomainError } from '#kernel';
import type { IndexGeneration } from '../generations/index-generation.js';
import { limitLockWait } from '../ledger/enter-rows.js';
import { enterUnknownPoints } from '../ledger/enter-unknown-points.js';
import { markPending } from '../ledger/mark-pending.js';
import type { HeldLease } from '../leases/held-lease.js';
import { pause } from '../pause.js';
import type { Suspect } from './findings.js';

const CHUNK_SIZE = 500;
const BUSY_TRIES = 5;
const BUSY_PAUSE_MS = 50;

/**
 * Hands differences to the relay by marking or entering their ledger entries; the index itself is never written to from here (protocol rule 9).
 *
 * What a writer has locked or changed since it was seen is left alone: the writer's change brings the relay there anyway.
 */
export class LedgerRepair {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly generation: IndexGeneration,
  ) {}

  /**
   * Returns how many entries were marked or entered.
   *
   * @throws LeaseEndedError when the right to repair is gone; then nothing of that step is done
   */
  async run(confirmed: readonly Suspect[], lease: HeldLease): Promise<number> {
    let repaired = 0;
    for (let start = 0; start < confirmed.length; start += CHUNK_SIZE) {
      lease.signal.throwIfAborted();
      crashPoint('reconciler.before-repair');
      repaired += await this.repair(confirmed.slice(start, start + CHUNK_SIZE), lease);
      crashPoint('reconciler.after-repair');
    }
    return repaired;
  }

  private async repair(suspects: readonly Suspect[], lease: HeldLease): Promise<number> {
    const known = suspects.filter(({ version }) => version !== null);
    const unknown = suspects.filter(({ version }) => version === null).map(({ id, pointRev }) => ({ id, rev: pointRev ?? 0 }));
    const marks = known.map(({ id, version, pointRev }) => ({ sourceId: id, seenVersion: version, pointRev }));
    for (let tries = 1; ; tries++) {
      try {
        return await this.unitOfWork.run(async (session) => {
          await lease.assertIn(session);
          await limitLockWait(session);
          const marked = await markPending(session, this.generation.id, marks, { states: ['synced'] });
          return marked.length + (await enterUnknownPoints(session, this.generation.id, unknown)).length;
        });
      } catch (error) {
        // A writer holds one of the keys; nothing of the step is done.
        if (!(error instanceof DomainError) || error.code !== 'database.busy' || tries >= BUSY_TRIES) throw error;
        await pause(BUSY_PAUSE_MS, lease.signal);
      }
    }
  }
}

import type { UnitOfWork } from '#database';
import { DomainError } from '#kernel';
import { getEntries, listEntries } from '../ledger/list-entries.js';
import { markPending } from '../ledger/mark-pending.js';
import { pause } from '../pause.js';
import type { IndexRelay } from '../relay/index-relay.js';

export interface TouchedPage {
  /** Rows that are pending now. */
  readonly touched: number;
  /** Pass as `after` for the next page; `null` = this was the last one. */
  readonly next: string | null;
}

/** A writer holds its rows for milliseconds; longer than this, it is for the caller to come back. */
const LOCKED_TRIES = 40;
const LOCKED_RETRY_MS = 50;

/** Has rows written to the index again, although nothing says that they differ. */
export class LedgerTouch {
  /** @param relay is woken, so that what is touched here is written at once; relays of other processes find it with their next poll */
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly relay: Pick<IndexRelay, 'wake'>,
  ) {}

  /**
   * Makes a page of entries pending, in the order of their ids, with a new version, no attempts and nothing taken for granted (protocol rule 9). Tombstones
   * are left alone: there is no row to write.
   *
   * A page is one short statement, and the caller holds the position: after a crash of either, the page is asked for again, which is harmless.
   *
   * @param limit entries looked at
   * @throws DomainError `database.busy` when writers hold some of them all the time; the page may be asked for again
   */
  async touch(generationId: number, after: string | null, limit: number): Promise<TouchedPage> {
    const page = await listEntries(this.unitOfWork, generationId, after, limit);
    let left = page.filter(({ state }) => state !== 'tombstone').map(({ sourceId }) => sourceId);
    let touched = 0;
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === LOCKED_TRIES) throw new DomainError('database.busy');
      // What a writer has locked is tried again: its change alone would leave the old bookkeeping trusted, and the point unwritten.
      if (tries > 0) await pause(LOCKED_RETRY_MS);
      const suspects = left.map((sourceId) => ({ sourceId, seenVersion: null, pointRev: null }));
      const reached = new Set(await markPending(this.unitOfWork, generationId, suspects, { states: ['pending', 'synced', 'dead'] }));
      touched += reached.size;
      left = await this.present(
        generationId,
        left.filter((id) => !reached.has(id)),
      );
    }
    if (touched > 0) this.relay.wake();
    return { touched, next: page.length < limit ? null : page.at(-1)!.sourceId };
  }

  /** Those that have not been deleted meanwhile. */
  private async present(generationId: number, ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const entries = await getEntries(this.unitOfWork, generationId, ids);
    return entries.filter(({ state }) => state !== 'tombstone').map(({ sourceId }) => sourceId);
  }
}

/** An entry that this process holds a lease on, as the claim saw it. */
export interface ClaimedEntry {
  readonly generationId: number;
  readonly sourceId: string;
  /** Version at the claim; what is written carries the version of the read, which may be higher. */
  readonly version: number;
  readonly state: 'pending' | 'tombstone';
  /** This attempt included, so at least 1. */
  readonly attempts: number;
  /** Whether an unrecorded write may already have reached the index, or may yet. */
  readonly wasInDoubt: boolean;
  /** Whether somebody's lease had ended before it was done with the entry. */
  readonly hadExpired: boolean;
  readonly indexedHash: Buffer | null;
  readonly indexedPayloadHash: Buffer | null;
}

/** Whether the entry was tried before; the check of a tombstone is none of what a budget of retries is for. */
export const isRetry = ({ state, attempts }: Pick<ClaimedEntry, 'state' | 'attempts'>): boolean => state === 'pending' && attempts > 1;

/** How an attempt failed, as stored in `index_ledger.last_error`. */
export interface LedgerError {
  readonly code: string;
  readonly message: string;
  /** ISO 8601. */
  readonly at: string;
}

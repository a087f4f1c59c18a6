import type { ConsistencyToken, TokenState } from './consistency-token.js';

/** What the ledger says of a row in one generation. */
export interface EntryPosition {
  readonly state: 'pending' | 'synced' | 'dead' | 'tombstone';
  readonly version: number;
  /** `null` = the index holds nothing of it, as far as was recorded. */
  readonly indexedVersion: number | null;
  /** An unrecorded write may have reached the index, or what was recorded has been seen to be wrong. */
  readonly isInDoubt: boolean;
}

/**
 * Says how far a generation has come with the write that a token names. `reached` is never wrong as long as the ledger is right about the index.
 *
 * @param generationId the generation that is searched
 * @param entry of the token's row in that generation; `null` = there is none
 */
export function judgeToken(token: ConsistencyToken, generationId: number, entry: EntryPosition | null): TokenState {
  // Entries only leave after the point was seen to be gone, the grace after the delete: what the token names was before that.
  if (entry === null) return 'reached';
  const isSettled = entry.state === 'synced' || entry.state === 'tombstone';
  // Versions of two generations cannot be compared. Every write marks the entries of all of them: once this one is settled, it has the write.
  if (generationId !== token.generationId) return isSettled ? 'reached' : unsettled(entry);
  if (isSettled && entry.version >= token.version) return 'reached';
  // A newer change is on its way, and the index holds the token's already. In doubt the record may be that of an index that was lost.
  if (!entry.isInDoubt && entry.indexedVersion !== null && entry.indexedVersion >= token.version) return 'reached';
  return unsettled(entry);
}

function unsettled({ state }: EntryPosition): TokenState {
  return state === 'dead' ? 'dead' : 'behind';
}

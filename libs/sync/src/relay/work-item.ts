import type { IndexDocument } from '../index-source.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';

/**
 * What is to be done for one claimed entry.
 *
 * - `skip`: the index has this content already, certainly
 * - `upsert`: write the whole point
 * - `delete`: the row is gone
 * - `verify`: a tombstone whose grace is over
 */
export type WorkItem = { readonly action: 'skip' | 'delete' | 'verify'; readonly entry: ClaimedEntry; readonly rev: number } | UpsertItem;

export interface UpsertItem {
  readonly action: 'upsert';
  readonly entry: ClaimedEntry;
  /** Version of the snapshot that the row was read in; the point carries it. */
  readonly rev: number;
  readonly document: IndexDocument;
  readonly textHash: Buffer;
  /** Hex of `textHash`, as the point carries it. */
  readonly textHashHex: string;
  readonly payloadHash: Buffer;
}

export const isDeleting = (action: WorkItem['action']): boolean => action === 'delete' || action === 'verify';

import { payloadHashOf, textHashOf } from '../hashing.js';
import type { IndexDocument } from '../index-source.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';
import type { WorkItem } from './work-item.js';

export interface DecisionInput {
  readonly entry: ClaimedEntry;
  readonly rev: number;
  /** The row in the same snapshot as `rev`, or none. */
  readonly document: IndexDocument | undefined;
  /** Whether something may have been sent for the entry that is not recorded: by an earlier attempt, or by this one before it was split. */
  readonly isInDoubt: boolean;
}

/**
 * Decides what an entry needs (protocol rule 4).
 *
 * Skips only when both hashes are those of the index and nothing unrecorded can be in it: after a lost reply the index may hold other content than
 * the ledger says. Otherwise the whole point is written, never a part of it: a partial write to a point that is missing does nothing, silently.
 */
export function decide(input: DecisionInput, modelRev: string, templateRev: string): WorkItem {
  const { entry, rev, document, isInDoubt } = input;
  if (document === undefined) return { action: 'delete', entry, rev };
  const textHash = textHashOf(modelRev, templateRev, document.text);
  const payloadHash = payloadHashOf(document.payload);
  const hasBoth = entry.indexedHash?.equals(textHash) === true && entry.indexedPayloadHash?.equals(payloadHash) === true;
  if (!isInDoubt && hasBoth) return { action: 'skip', entry, rev };
  return { action: 'upsert', entry, rev, document, textHash, textHashHex: textHash.toString('hex'), payloadHash };
}

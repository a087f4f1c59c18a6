import type { ErasureSubject } from './erasure.js';

/** What was found in a place, or in one part of it. */
export interface PlaceFinding {
  /** Default '': there is one part. */
  readonly part?: string;
  /** Nothing of it is there any more, as was read there just now. */
  readonly isGone: boolean;
  /** How much was removed in this look. Default 0. */
  readonly removed?: number;
  /** A word for people: why not yet, or what was kept and why. No content. */
  readonly detail?: string;
}

/** Somewhere in which something of an erased row may be. */
export abstract class ErasurePlace {
  /** Short, lower case, for receipts. */
  abstract readonly name: string;

  /** Whether it is looked at only when index and ledger are through: until then a relay that read the row before may still write here. Default true. */
  get waitsForIndex(): boolean {
    return true;
  }

  /**
   * Removes what is there, and then reads whether it is gone. Called again and again until it is, by one process at a time, perhaps beside one that was
   * frozen: every step may be repeated. No transaction may be open over a call to the network.
   */
  abstract erase(subject: ErasureSubject, signal: AbortSignal): Promise<PlaceFinding[]>;
}

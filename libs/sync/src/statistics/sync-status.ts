import type { RelayStatus } from '../relay/relay-status.js';
import type { GenerationState } from '../generations/index-generation.js';
import type { IndexEntryStatus } from '../serving-index.js';

/** How far one generation is. */
export interface GenerationStatus {
  readonly id: number;
  readonly source: string;
  readonly collection: string;
  readonly state: GenerationState;
  /** Set while no relay may claim its entries. */
  readonly pausedAt: Date | null;
  readonly pauseReason: string | null;
  readonly entries: Readonly<Record<IndexEntryStatus['state'], number>>;
  /** Age of the oldest change that has not reached the index; `null` = none is pending. Dead entries do not count. */
  readonly oldestPendingAgeSeconds: number | null;
  /** Pending entries by attempts made: index 0 = not tried yet … the last one = {@link MAX_COUNTED_ATTEMPTS} or more. */
  readonly attempts: readonly number[];
  /** Of dead entries that are not muted. */
  readonly deadByCode: Readonly<Record<string, number>>;
  /** Dead entries that an operator has muted; they are not among the entries. */
  readonly muted: number;
  /** Entries that some relay is working on. */
  readonly leased: number;
  /** Entries of which an unrecorded write may have reached the index. */
  readonly inDoubt: number;
  /** Deleted rows whose tombstone is due to be checked. */
  readonly dueTombstones: number;
}

/** From here on attempts are counted together. */
export const MAX_COUNTED_ATTEMPTS = 10;

/** What the engine knows of itself: the ledger by generation, and the relay of this process. */
export interface SyncStatus {
  /** By the database's clock. */
  readonly readAt: Date;
  /** All that are not retired, in ascending order of id. */
  readonly generations: readonly GenerationStatus[];
  readonly relay: RelayStatus;
}

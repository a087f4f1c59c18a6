import type { ErasureKind } from './erasure-record.js';

export type ErasureState = 'pending' | 'proven' | 'failed';

/** What is to be gone: ids and hashes. */
export interface ErasureSubject {
  readonly id: string;
  /** Later erasures have higher ones. */
  readonly ordinal: number;
  readonly kind: ErasureKind;
  readonly targetId: string;
  /** Of the index. */
  readonly source: string;
  /** Of the row, or of its chunks. */
  readonly pointIds: readonly string[];
  /** Of the texts of the points, in the vector space of every generation. */
  readonly textHashes: readonly Buffer[];
  readonly requestedAt: Date;
}

/** How far it is in one place, or in one of several parts of it. */
export interface ErasureStep {
  readonly place: string;
  /** '' = there is one. */
  readonly part: string;
  readonly state: ErasureState;
  /** How much was removed there for it. */
  readonly removed: number;
  readonly checkedAt: Date | null;
  readonly provenAt: Date | null;
  readonly detail: string | null;
}

export interface RegisteredBackup {
  readonly id: string;
  readonly begunAt: Date;
  /** `null` = it was never finished, but its files may be there. */
  readonly finishedAt: Date | null;
  readonly location: string;
}

/** An erasure as its receipt shows it. */
export interface Erasure extends Omit<ErasureSubject, 'pointIds' | 'textHashes'> {
  readonly state: ErasureState;
  /** When it was written down outside of the database. */
  readonly loggedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly lastError: string | null;
  readonly steps: readonly ErasureStep[];
  /** Begun before it, and so perhaps holding it still; newest first. */
  readonly backups: readonly RegisteredBackup[];
}

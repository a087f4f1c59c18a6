import type { CertificateDecision, DifferenceKind, DifferenceReport } from './certificate.js';

/**
 * What a quick check came to: as for a certificate, but that counts which agree (`clean`) prove less than a walk; `restored`: one side was restored, and
 * all of the generation is being written again.
 */
export type QuickCheckDecision = Exclude<CertificateDecision, 'running' | 'failed'> | 'restored';

/** The document of a quick check, as it is stored and shown. */
export interface QuickCheckResult {
  readonly generation: number;
  readonly source: string;
  readonly collection: string;
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly duration_ms: number;
  /** Exact counts of the rows, the points, and the ledger's entries by state. */
  readonly rows: number;
  readonly points: number;
  readonly synced: number;
  readonly in_flight: number;
  readonly dead: number;
  /** Buckets (last byte of the id) whose counts cannot be right; these were compared id by id. */
  readonly differing_buckets: readonly string[];
  /** Points without one of the 256 buckets. */
  readonly unbucketed_points: number;
  /** Confirmed in a second look. */
  readonly differences: Readonly<Record<DifferenceKind, DifferenceReport>>;
  /** Differences that were handed to the relay. */
  readonly repaired: number;
  /** Whether both sides hold a new epoch now. */
  readonly is_epoch_advanced: boolean;
  readonly decision: QuickCheckDecision;
  /** Sentences for people. */
  readonly reasons: readonly string[];
}

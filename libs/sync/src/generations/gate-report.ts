/**
 * Why a gate refuses.
 *
 * - `not-filled`: rows that existed at its creation may have no entry yet
 * - `paused`: one side was restored, and its relays stand still
 * - `template`: the source renders its rows in another way by now, so that nothing can be compared
 * - `pending`: changes from before the gate have not reached the index, although it waited for them
 * - `dead`: entries were given up, and nobody has forced the gate
 * - `certificate`: the comparison of rows and index found differences, or did not come to its end
 * - `sample`: points are missing, or their content or vectors are not those of their rows
 * - `unreadable`: the index, the model or the database did not answer, so that something could not be checked
 */
export type GateReasonCode = 'not-filled' | 'paused' | 'template' | 'pending' | 'dead' | 'certificate' | 'sample' | 'unreadable';

export interface GateReason {
  readonly code: GateReasonCode;
  /** A sentence for people. */
  readonly detail: string;
}

/** Rows that were read from the index and embedded again. */
export interface GateSample {
  readonly rows: number;
  /** Ids whose point is missing, or differs from the row as it is now. */
  readonly mismatches: readonly { readonly id: string; readonly difference: string }[];
  /** Lowest cosine between a stored vector and a fresh one; `null` without rows. */
  readonly lowest_cosine: number | null;
}

/** How alike the answers of two generations are, on queries made of rows. */
export interface GateComparison {
  readonly serving_generation: number;
  readonly queries: number;
  /** Mean share of the ten best that both give, 0 to 1. */
  readonly overlap_at_10: number;
  /** Mean distance between the ranks of what both give; `null` when they have nothing in common. */
  readonly rank_shift: number | null;
}

/** What a gate has found, as stored in `index_generations.gate_report`; snake_case because it is stored as JSON. Times are the database's, ISO 8601. */
export interface GateReport {
  /** `running` until it has come to its end; `failed` = it was cut off and says nothing. */
  readonly status: 'running' | 'passed' | 'refused' | 'failed';
  readonly passed: boolean;
  /** All of them, not only the first. */
  readonly reasons: readonly GateReason[];
  /** Dead entries do not count against it. */
  readonly is_forced: boolean;
  /** Changes up to this time are in the index. */
  readonly began_at: string;
  /** When it ended; `null` while it runs. A passed report is good for 15 minutes from here. */
  readonly checked_at: string | null;
  readonly holder: string;
  readonly certificate_id: string | null;
  readonly sample: GateSample | null;
  readonly overlap_at_10: number | null;
  readonly rank_shift: number | null;
  /** `null` without a serving generation to compare with, or when it could not be compared. */
  readonly comparison: GateComparison | null;
  readonly dead: number | null;
  /** Entries that were changed before the gate began and are still not in the index. */
  readonly pending_before: number | null;
}

/** How long a passed report allows a switch: what it says of the index ages. */
export const GATE_REPORT_MAX_AGE_MINUTES = 15;

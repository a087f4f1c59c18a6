/**
 * How two sides of one id differ.
 *
 * - `missing`: a row has no point
 * - `stale`: the point carries another rev, text, payload or bucket than ledger and row say, or the row has no ledger entry
 * - `orphan`: a point without a row
 * - `foreign`: a point that Kindred has not written: another kind of id, or without the fields that every point of Kindred has
 * - `wrong_model`: the point names another model than the generation
 * - `vector`: the stored vector is not the one in the cache
 */
export const DIFFERENCE_KINDS = ['missing', 'stale', 'orphan', 'foreign', 'wrong_model', 'vector'] as const;

export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/**
 * What a reconciliation came to.
 *
 * - `running`: it is under way; the report holds the progress
 * - `clean`: everything was compared and nothing differs, but for what is in flight or dead, which is counted
 * - `repaired`: every difference was handed to the relay; the next certificate says what became of them
 * - `differs`: something differs and was left alone, because the run was read-only or because only a person can judge it
 * - `refused`: nothing was touched, because it looked like a mistake (wrong database, empty source, too many orphans)
 * - `incomplete`: the time was over, or it was called off, before the end
 * - `failed`: an error, or the process died
 */
export type CertificateDecision = 'running' | 'clean' | 'repaired' | 'differs' | 'refused' | 'incomplete' | 'failed';

export interface DifferenceReport {
  readonly count: number;
  /** Up to 100 ids. */
  readonly examples: readonly string[];
}

/** XOR of the first 16 bytes of SHA-256 over each compared id, hex. */
export interface BucketDigestReport {
  readonly rows: string;
  readonly points: string;
}

export interface DigestReport extends BucketDigestReport {
  readonly algorithm: 'xor-sha256-128/1';
  /** By the last byte of the id, two hex digits; empty buckets are left out, and so are all in a listing. */
  readonly buckets?: Readonly<Record<string, BucketDigestReport>>;
}

/** The document of a certificate, as it is stored and exported: what was read on both sides, what differed, and what was decided. */
export interface CertificateReport {
  readonly format: 1;
  readonly generation: number;
  readonly source: string;
  readonly collection: string;
  /** For people, for example `all-MiniLM-L6-v2:q8`. */
  readonly model: string;
  readonly model_rev: string;
  readonly template_rev: string;
  /** Identity of the database, which the collection names too. */
  readonly database_id: string;
  /** `run`: names the present run of a server that may undo acknowledged writes when it starts; null for all others. */
  readonly store: { readonly source: string; readonly version: string | null; readonly run: string | null };
  /** ISO 8601. */
  readonly from: string;
  /** ISO 8601; `null` while it is running. */
  readonly to: string | null;
  readonly duration_ms: number;
  readonly is_read_only: boolean;
  readonly is_forced: boolean;
  /** The walk began behind this id; `null` = at the start. */
  readonly after: string | null;
  /** The last id of the walk when it did not come to the end; everything up to it was compared. */
  readonly up_to: string | null;
  /** Rows, and points of the collection, that the walk has met. */
  readonly rows: number;
  readonly points: number;
  /** Ids whose row, ledger entry and point agree. */
  readonly verified: number;
  /** Ids that a relay has still to write or to delete; counted, not judged. `tombstones` is the part of them that waits for its last check. */
  readonly in_flight: number;
  readonly tombstones: number;
  /** Ids whose entry is dead; counted, not judged. */
  readonly dead: number;
  /** Confirmed in a second look. */
  readonly differences: Readonly<Record<DifferenceKind, DifferenceReport>>;
  /** Ids that differed at the first look only. */
  readonly resolved: number;
  /** Differences that were handed to the relay. */
  readonly repaired: number;
  /** Whether text hashes were recomputed from the rows; not so when the generation was built with another template than the source now has. */
  readonly text_verified: boolean;
  /** Points whose vector was compared with the cache. */
  readonly sampled_vectors: number;
  readonly digest: DigestReport;
  readonly decision: CertificateDecision;
  /** Sentences for people. */
  readonly reasons: readonly string[];
}

/** A stored certificate. */
export interface Certificate {
  readonly id: string;
  readonly generationId: number;
  readonly source: string;
  readonly decision: CertificateDecision;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** Its `decision` is that of the certificate. */
  readonly report: CertificateReport;
}

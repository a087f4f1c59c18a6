export interface ReconcileOptions {
  /** Only reads: differences are reported, nothing is repaired; may run beside other runs. Default false. */
  readonly isReadOnly?: boolean;
  /** Repairs also what the delete guard stops, and foreign points whose id could be a row's. Default false. */
  readonly isForced?: boolean;
  /** Longest time for the walk, milliseconds; after it the certificate is `incomplete`, and what was found so far is confirmed and repaired. Default: none. */
  readonly budgetMs?: number;
  /** Points whose vector is compared with the cache. Default 100; 0 = none. */
  readonly sampleSize?: number;
  /** Begins behind this id, where an incomplete run has ended (`up_to`). Default: from the start. */
  readonly after?: string;
  /** Calls it off between two steps; the certificate is `incomplete` then. */
  readonly signal?: AbortSignal;
}

export const SAMPLE_SIZE_DEFAULT = 100;

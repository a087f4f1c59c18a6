export interface LocalVectorStoreOptions {
  /** Where snapshots and aliases are kept; created when missing, readable by its owner only. Belongs to one process. */
  readonly folder: string;
  /** Most candidates that are scanned exactly; above, an approximate graph is built and used. Default 20,000. */
  readonly exactLimit?: number;
  /** Milliseconds between snapshots of what has changed; longer when writing them takes more than a twentieth of that. Default 30,000. */
  readonly snapshotIntervalMs?: number;
  /** Budget of one read in milliseconds. Default 2,000. */
  readonly searchTimeoutMs?: number;
  /** Budget of one write in milliseconds. Default 2,000. */
  readonly writeTimeoutMs?: number;
}

export interface ResolvedLocalOptions extends Required<LocalVectorStoreOptions> {
  readonly openTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly snapshotTimeoutMs: number;
}

const EXACT_LIMIT = 20_000;
const SNAPSHOT_INTERVAL_MS = 30_000;
const CALL_TIMEOUT_MS = 2_000;
/** A million points of 384 dimensions are 1.9 GB to read and check. */
const OPEN_TIMEOUT_MS = 60_000;
/** An orderly end must fit into the grace that process managers give (10 s in most). */
const CLOSE_TIMEOUT_MS = 8_000;
const SNAPSHOT_TIMEOUT_MS = 120_000;

export function resolveLocalOptions(options: LocalVectorStoreOptions): ResolvedLocalOptions {
  return {
    folder: options.folder,
    exactLimit: options.exactLimit ?? EXACT_LIMIT,
    snapshotIntervalMs: options.snapshotIntervalMs ?? SNAPSHOT_INTERVAL_MS,
    searchTimeoutMs: options.searchTimeoutMs ?? CALL_TIMEOUT_MS,
    writeTimeoutMs: options.writeTimeoutMs ?? CALL_TIMEOUT_MS,
    openTimeoutMs: OPEN_TIMEOUT_MS,
    closeTimeoutMs: CLOSE_TIMEOUT_MS,
    snapshotTimeoutMs: SNAPSHOT_TIMEOUT_MS,
  };
}

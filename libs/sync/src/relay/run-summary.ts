/** What one pass did. */
export interface RunSummary {
  claimed: number;
  synced: number;
  skipped: number;
  deleted: number;
  purged: number;
  embedded: number;
  cacheHits: number;
  superseded: number;
  leasesLost: number;
  leasesRenewed: number;
  leasesExpired: number;
  retries: number;
  failedRetries: number;
  released: number;
  failed: number;
  paused: number;
  dead: number;
  splits: number;
}

export function emptySummary(): RunSummary {
  return {
    claimed: 0,
    synced: 0,
    skipped: 0,
    deleted: 0,
    purged: 0,
    embedded: 0,
    cacheHits: 0,
    superseded: 0,
    leasesLost: 0,
    leasesRenewed: 0,
    leasesExpired: 0,
    retries: 0,
    failedRetries: 0,
    released: 0,
    failed: 0,
    paused: 0,
    dead: 0,
    splits: 0,
  };
}

/** Adds to the first one. */
export function addSummary(total: RunSummary, part: RunSummary): void {
  for (const key of Object.keys(part) as (keyof RunSummary)[]) total[key] += part[key];
}

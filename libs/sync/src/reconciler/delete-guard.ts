/** That many orphans are an ordinary day's trouble … */
const ORPHANS_ALWAYS_ALLOWED = 50;
/** … and that share of all points as well. */
const ORPHAN_SHARE_ALLOWED = 0.1;

export interface DeleteGuardInput {
  readonly orphans: number;
  /** Rows and points that were met. */
  readonly rows: number;
  readonly points: number;
  /** Whether all of the source was looked at, so that no row met means that there is none. */
  readonly isWhole: boolean;
}

/**
 * Says why orphans must not be deleted, or returns `null`. An empty table, a wrong database and a lost partition all look like orphans, and a deleted index
 * takes hours to come back.
 */
export function refusalOf({ orphans, rows, points, isWhole }: DeleteGuardInput): string | null {
  if (orphans === 0) return null;
  if (isWhole && rows === 0) return `The source is empty, but the index has ${points} points`;
  const allowed = Math.max(ORPHANS_ALWAYS_ALLOWED, Math.floor(points * ORPHAN_SHARE_ALLOWED));
  if (orphans <= allowed) return null;
  return `${orphans} of ${points} points have no row; more than ${allowed} look like a mistake`;
}

import type { SqlSession } from '#database';
import type { IndexEntryStatus } from '../serving-index.js';

type LedgerState = IndexEntryStatus['state'];

export interface Suspect {
  readonly sourceId: string;
  /** Only this version is marked; `null` = whatever it is now. */
  readonly seenVersion: number | null;
  /** The rev of the point that was found; `null` = there is none. */
  readonly pointRev: number | null;
}

export interface MarkOptions {
  /** States that may be marked. Repair: `synced`; requeue: `dead`; a lost index: all. */
  readonly states: readonly LedgerState[];
  /** After a restore or a lost index, work under old leases must not be recorded. */
  readonly areLeasesCleared?: boolean;
}

/*
 * Protocol rule 9's SET, used for repair (9), for a lost or restored index (10) and for requeueing (7).
 *
 * in_doubt: the bookkeeping has just been seen to be wrong, so equal hashes must not lead to a skip. version above the point's rev: the fence would
 * refuse the repair and still answer "completed". bigint: revs outgrow integer. SKIP LOCKED: rule 13.
 */
const MARK = `
WITH suspects AS (
  SELECT l.source_id, s.point_rev
  FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) AS s (source_id, seen_version, point_rev)
  CROSS JOIN LATERAL (
    SELECT source_id FROM index_ledger
    WHERE generation_id = $1 AND source_id = s.source_id AND state = ANY($5::text[]) AND (s.seen_version IS NULL OR version = s.seen_version) FOR UPDATE SKIP LOCKED) l)
UPDATE index_ledger AS l SET
  state = 'pending', in_doubt = true, attempts = 0, next_attempt_at = now(), changed_at = now(),
  version = greatest(l.version + 1, nextval('index_version_seq'), s.point_rev::bigint + 1),
  lease_token = CASE WHEN $6::boolean THEN NULL ELSE l.lease_token END,
  lease_until = CASE WHEN $6::boolean THEN NULL ELSE l.lease_until END
FROM suspects s WHERE l.generation_id = $1 AND l.source_id = ANY($2::uuid[]) AND l.source_id = s.source_id
RETURNING l.source_id`;

/** Marks entries to be written again whatever the bookkeeping says; returns the ids that were reached. */
export async function markPending(
  session: SqlSession,
  generationId: number,
  suspects: readonly Suspect[],
  options: MarkOptions,
): Promise<string[]> {
  if (suspects.length === 0) return [];
  const { rows } = await session.query<{ source_id: string }>(MARK, [
    generationId,
    suspects.map(({ sourceId }) => sourceId),
    suspects.map(({ seenVersion }) => seenVersion),
    suspects.map(({ pointRev }) => pointRev),
    options.states,
    options.areLeasesCleared ?? false,
  ]);
  return rows.map((row) => row.source_id);
}

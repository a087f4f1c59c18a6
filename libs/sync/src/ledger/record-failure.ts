import type { SqlSession } from '#database';
import type { LedgerError } from './ledger-entry.js';

export interface Failure {
  readonly sourceId: string;
  /** The version that was read, or the claimed one when it failed before. */
  readonly rev: number;
  /** A delete, or the check of a tombstone: these never die, or a deleted row would stay in the index for ever. */
  readonly isDeleting: boolean;
  readonly backoffMs: number;
  /** What `in_doubt` becomes: `wasInDoubt` when nothing was sent under this lease, else true. */
  readonly isInDoubt: boolean;
}

export interface FailureOptions {
  readonly error: LedgerError;
  /** Attempts after which an upsert is dead; `null` = not now, because the failure says nothing about the entry. */
  readonly maxAttempts: number | null;
  /** The provider asked for a pause, or is away: the attempt is given back. */
  readonly isPause: boolean;
}

export interface FailureResult {
  readonly sourceId: string;
  readonly isDead: boolean;
}

/*
 * Protocol rule 7. Both the death and the back-off apply only to the version that failed: a row that was corrected meanwhile starts afresh.
 * greatest(…, 0): a change during the attempt has set attempts to 0 already, and an attempt that is not counted cannot be given back.
 */
const FAIL = `
WITH failed AS (
  SELECT l.source_id, f.rev, f.is_deleting, f.backoff_ms, f.is_in_doubt
  FROM unnest($3::uuid[], $4::bigint[], $5::boolean[], $6::double precision[], $7::boolean[]) AS f (source_id, rev, is_deleting, backoff_ms, is_in_doubt)
  CROSS JOIN LATERAL (
    SELECT source_id FROM index_ledger
    WHERE generation_id = $1 AND source_id = f.source_id AND lease_token = $2 FOR UPDATE SKIP LOCKED) l)
UPDATE index_ledger AS l SET
  lease_token = NULL, lease_until = NULL, last_error = $8::jsonb,
  state = CASE WHEN l.state = 'pending' AND NOT f.is_deleting AND l.version = f.rev AND l.attempts >= $9::integer AND NOT $10::boolean THEN 'dead' ELSE l.state END,
  next_attempt_at = CASE WHEN l.version = f.rev THEN now() + f.backoff_ms * interval '1 millisecond' ELSE l.next_attempt_at END,
  attempts = CASE WHEN $10::boolean THEN greatest(l.attempts - 1, 0) ELSE l.attempts END,
  in_doubt = f.is_in_doubt
FROM failed f WHERE l.generation_id = $1 AND l.source_id = ANY($3::uuid[]) AND l.source_id = f.source_id
RETURNING l.source_id, l.state = 'dead' AS is_dead`;

/** Records failed attempts under their token, in a transaction of its own: inside the one that failed the count would be rolled back with it. */
export async function recordFailure(
  session: SqlSession,
  generationId: number,
  token: string,
  failures: readonly Failure[],
  options: FailureOptions,
): Promise<FailureResult[]> {
  const { rows } = await session.query<{ source_id: string; is_dead: boolean }>(FAIL, [
    generationId,
    token,
    failures.map(({ sourceId }) => sourceId),
    failures.map(({ rev }) => rev),
    failures.map(({ isDeleting }) => isDeleting),
    failures.map(({ backoffMs }) => backoffMs),
    failures.map(({ isInDoubt }) => isInDoubt),
    JSON.stringify(options.error),
    options.maxAttempts,
    options.isPause,
  ]);
  return rows.map((row) => ({ sourceId: row.source_id, isDead: row.is_dead }));
}

import type { SqlSession } from '#database';
import type { ClaimedEntry } from './ledger-entry.js';

export interface ClaimRequest {
  /** A generation that this process can write. */
  readonly generationId: number;
  /** New entries that are taken at most; with retries and tombstones up to a quarter more. */
  readonly entries: number;
  /** Entries that were tried before which are taken at most. */
  readonly retries: number;
  /** New for every claim: a token that outlives its claim would let a stalled pass take part again. */
  readonly token: string;
  readonly leaseMs: number;
}

/*
 * Protocol rule 2. One statement, so that one round trip is one transaction; the row itself is not joined in, because a statement that waits for a
 * lock may see the new version together with the old row. The clock is the database's, so the relays' clocks need not agree. SKIP LOCKED: relays side
 * by side take different entries, and an entry whose writer has not committed is left for later.
 *
 * live: a generation that is paused (rule 10) or retired is not touched, and this statement, not what a process remembers, says which it is.
 *
 * New work first: it may fill the batch. Retries may take what it leaves, but never more than the budget of the caller; tombstones, which nobody waits
 * for, what both leave. Each of the two has an eighth of a batch on top for itself, so that neither starves while there is new work without end.
 *
 * Three scans in index order: every condition is in an index (index_ledger_due_idx, index_ledger_tombstone_idx), so a claim costs what it takes, however
 * long the backlog is and whatever the planner believes of it (of 20,000: 5 ms, 58 ms with a sort). The LIMIT of `due` never cuts anything off: it tells
 * the planner how few rows come. ANY beside the join: else a planner with statistics of an empty ledger reads the whole generation to find them.
 */
const CLAIM = `
WITH live AS (
  SELECT id FROM index_generations WHERE id = $1 AND paused_at IS NULL AND state <> 'retired'),
fresh AS (
  SELECT source_id, in_doubt, lease_until FROM index_ledger
  WHERE generation_id = (SELECT id FROM live) AND state = 'pending' AND attempts = 0
    AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY next_attempt_at LIMIT $2::int FOR UPDATE SKIP LOCKED),
retried AS (
  SELECT source_id, in_doubt, lease_until FROM index_ledger
  WHERE generation_id = (SELECT id FROM live) AND state = 'pending' AND attempts > 0
    AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY attempts, next_attempt_at
  LIMIT least($3::int, greatest($2::int / 8, $2::int - (SELECT count(*) FROM fresh))) FOR UPDATE SKIP LOCKED),
buried AS (
  SELECT source_id, in_doubt, lease_until FROM index_ledger
  WHERE generation_id = (SELECT id FROM live) AND state = 'tombstone'
    AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY next_attempt_at
  LIMIT greatest($2::int / 8, $2::int - (SELECT count(*) FROM fresh) - (SELECT count(*) FROM retried)) FOR UPDATE SKIP LOCKED),
due AS (
  SELECT * FROM fresh UNION ALL SELECT * FROM retried UNION ALL SELECT * FROM buried LIMIT $2::int + $2::int / 4)
UPDATE index_ledger AS l SET lease_token = $4, lease_until = now() + $5::double precision * interval '1 millisecond', attempts = attempts + 1, in_doubt = true
FROM due WHERE l.generation_id = $1 AND l.source_id = ANY(ARRAY(SELECT source_id FROM due)) AND l.source_id = due.source_id
RETURNING l.source_id, l.version, l.state, l.attempts, due.in_doubt AS was_in_doubt, due.lease_until IS NOT NULL AS was_leased,
  l.indexed_hash, l.indexed_payload_hash`;

interface Row {
  source_id: string;
  version: string;
  state: 'pending' | 'tombstone';
  attempts: number;
  was_in_doubt: boolean;
  was_leased: boolean;
  indexed_hash: Buffer | null;
  indexed_payload_hash: Buffer | null;
}

/** Leases entries that are due, in its own transaction; what it returns is this process's until the lease ends. */
export async function claimDue(session: SqlSession, request: ClaimRequest): Promise<ClaimedEntry[]> {
  const { generationId, entries, retries, token, leaseMs } = request;
  const { rows } = await session.query<Row>(CLAIM, [generationId, entries, retries, token, leaseMs]);
  return rows.map((row) => ({
    generationId,
    sourceId: row.source_id,
    version: Number(row.version),
    state: row.state,
    attempts: row.attempts,
    wasInDoubt: row.was_in_doubt,
    hadExpired: row.was_leased,
    indexedHash: row.indexed_hash,
    indexedPayloadHash: row.indexed_payload_hash,
  }));
}

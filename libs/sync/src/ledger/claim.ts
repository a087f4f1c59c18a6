import type { SqlSession } from '#database';
import type { ClaimedEntry } from './ledger-entry.js';

export interface ClaimRequest {
  /** Generations that this process can write. */
  readonly generationIds: readonly number[];
  readonly limit: number;
  /** New for every claim: a token that outlives its claim would let a stalled pass take part again. */
  readonly token: string;
  readonly leaseMs: number;
}

/*
 * Protocol rule 2. One statement, so that one round trip is one transaction; the row itself is not joined in, because a statement that waits for a
 * lock may see the new version together with the old row.
 *
 * ORDER BY attempts: new work before retries, so that what keeps failing cannot starve what works. SKIP LOCKED: relays side by side take different
 * entries, and an entry whose writer has not committed is left for later. The clock is the database's, so the relays' clocks need not agree.
 */
const CLAIM = `
WITH due AS (
  SELECT generation_id, source_id, in_doubt FROM index_ledger
  WHERE generation_id = ANY($1::int[]) AND state IN ('pending', 'tombstone')
    AND next_attempt_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY attempts, next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
UPDATE index_ledger AS l SET lease_token = $3, lease_until = now() + $4::double precision * interval '1 millisecond', attempts = attempts + 1, in_doubt = true
FROM due WHERE l.generation_id = due.generation_id AND l.source_id = due.source_id
RETURNING l.generation_id, l.source_id, l.version, l.state, l.attempts, due.in_doubt AS was_in_doubt, l.indexed_hash, l.indexed_payload_hash`;

interface Row {
  generation_id: number;
  source_id: string;
  version: string;
  state: 'pending' | 'tombstone';
  attempts: number;
  was_in_doubt: boolean;
  indexed_hash: Buffer | null;
  indexed_payload_hash: Buffer | null;
}

/** Leases the entries that are due, in its own transaction; what it returns is this process's until the lease ends. */
export async function claimDue(session: SqlSession, request: ClaimRequest): Promise<ClaimedEntry[]> {
  const { rows } = await session.query<Row>(CLAIM, [request.generationIds, request.limit, request.token, request.leaseMs]);
  return rows.map((row) => ({
    generationId: row.generation_id,
    sourceId: row.source_id,
    version: Number(row.version),
    state: row.state,
    attempts: row.attempts,
    wasInDoubt: row.was_in_doubt,
    indexedHash: row.indexed_hash,
    indexedPayloadHash: row.indexed_payload_hash,
  }));
}

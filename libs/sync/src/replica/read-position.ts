import type { SqlSession } from '#database';

export interface LedgerPosition {
  /** The database's clock, as it prints it. */
  readonly now: string;
  /** Age of the oldest change that the index lacks, milliseconds; 0 = it lacks none, `null` = not asked for. */
  readonly oldestPendingMs: number | null;
}

/* The subselect reads every pending entry, through the partial index on what is due; it is evaluated only when asked for. */
const POSITION = `
SELECT clock_timestamp()::text AS now, CASE WHEN $2::boolean THEN coalesce((
  SELECT extract(epoch FROM clock_timestamp() - min(changed_at))::double precision * 1000 FROM index_ledger
  WHERE generation_id = $1 AND state = 'pending'), 0) END AS oldest_pending_ms`;

/** Where the ledger of a generation stands. What is recorded before `now` is visible later than `now` only while its transaction takes to commit. */
export async function readPosition(session: SqlSession, generationId: number, hasOldestPending: boolean): Promise<LedgerPosition> {
  const { rows } = await session.query<{ now: string; oldest_pending_ms: number | null }>(POSITION, [generationId, hasOldestPending]);
  const { now, oldest_pending_ms } = rows[0]!;
  return { now, oldestPendingMs: oldest_pending_ms === null ? null : Math.max(0, Number(oldest_pending_ms)) };
}

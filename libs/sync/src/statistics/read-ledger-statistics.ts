import type { SqlSession } from '#database';
import { IS_MUTED } from '../dead-letters/is-muted.js';
import type { GenerationState } from '../generations/index-generation.js';
import type { IndexEntryStatus } from '../serving-index.js';

/** Entries of one generation that are alike, and not synced; a generation that has none has one group without `entryState`. */
export interface LedgerGroup {
  readonly id: number;
  readonly source: string;
  readonly collection: string;
  readonly state: GenerationState;
  readonly pausedAt: Date | null;
  readonly pauseReason: string | null;
  readonly readAt: Date;
  /** Entries of the generation, synced ones included. */
  readonly total: number;
  /** Dead entries of the generation that are muted; they are in no group. */
  readonly muted: number;
  readonly entryState: Exclude<IndexEntryStatus['state'], 'synced'> | null;
  /** Counted up to the limit. */
  readonly attempts: number;
  readonly code: string | null;
  readonly count: number;
  readonly leased: number;
  readonly inDoubt: number;
  readonly due: number;
  readonly oldestAgeSeconds: number | null;
}

const details = (state: string, code = 'NULL', condition = ''): string => `
  SELECT generation_id, '${state}' AS state, least(attempts, $1::int) AS attempts, ${code} AS code, count(*)::int AS count,
    count(*) FILTER (WHERE lease_until > now())::int AS leased, count(*) FILTER (WHERE in_doubt)::int AS in_doubt,
    count(*) FILTER (WHERE next_attempt_at <= now())::int AS due, min(changed_at) AS oldest
  FROM index_ledger l WHERE state = '${state}' ${condition} GROUP BY 1, 3, 4`;

/*
 * Synced entries, nearly all of a healthy ledger, are never looked at: they are what the total has more than the details, which are read by the partial
 * index of each other state. The total is one pass over the table, or over its key when that is vacuumed.
 */
const STATISTICS = `
WITH groups AS (${details('pending')} UNION ALL ${details('tombstone')} UNION ALL ${details('dead', `coalesce(last_error ->> 'code', 'unknown')`, `AND NOT ${IS_MUTED}`)}),
muted AS (SELECT generation_id, count(*)::int AS muted FROM index_ledger l WHERE state = 'dead' AND ${IS_MUTED} GROUP BY 1),
totals AS (SELECT generation_id, count(*)::int AS total FROM index_ledger GROUP BY 1)
SELECT g.id, g.source, g.collection, g.state, g.paused_at, g.pause_reason, now() AS read_at, coalesce(t.total, 0) AS total, coalesce(m.muted, 0) AS muted, s.state AS entry_state, s.attempts,
  s.code, s.count, s.leased, s.in_doubt, s.due, extract(epoch FROM now() - s.oldest)::double precision AS oldest_age_seconds
FROM index_generations g LEFT JOIN totals t ON t.generation_id = g.id LEFT JOIN muted m ON m.generation_id = g.id LEFT JOIN groups s ON s.generation_id = g.id
WHERE g.state <> 'retired' ORDER BY g.id`;

interface Row {
  id: number;
  source: string;
  collection: string;
  state: GenerationState;
  paused_at: Date | null;
  pause_reason: string | null;
  read_at: Date;
  total: number;
  muted: number;
  entry_state: LedgerGroup['entryState'];
  attempts: number | null;
  code: string | null;
  count: number | null;
  leased: number | null;
  in_doubt: number | null;
  due: number | null;
  oldest_age_seconds: number | null;
}

/** Counts the ledger of all generations that are not retired, in one snapshot; at least one group per generation. */
export async function readLedgerStatistics(session: SqlSession, maxCountedAttempts: number): Promise<LedgerGroup[]> {
  const { rows } = await session.query<Row>(STATISTICS, [maxCountedAttempts]);
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    collection: row.collection,
    state: row.state,
    pausedAt: row.paused_at,
    pauseReason: row.pause_reason,
    readAt: row.read_at,
    total: row.total,
    muted: row.muted,
    entryState: row.entry_state,
    attempts: row.attempts ?? 0,
    code: row.code,
    count: row.count ?? 0,
    leased: row.leased ?? 0,
    inDoubt: row.in_doubt ?? 0,
    due: row.due ?? 0,
    oldestAgeSeconds: row.oldest_age_seconds,
  }));
}

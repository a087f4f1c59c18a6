import type { SqlSession } from '#database';

export interface GenerationProgress {
  readonly generationId: number;
  /** Whether every row that existed at its creation has an entry; until then the numbers below are too low. */
  readonly isFilled: boolean;
  readonly entries: { readonly pending: number; readonly synced: number; readonly dead: number; readonly tombstone: number };
  /** Entries that reached the index per second, over all relays, in the last 30 seconds. */
  readonly ratePerSecond: number;
  /** Until nothing is pending at that rate; 0 when nothing is, `null` when it cannot be said. */
  readonly etaSeconds: number | null;
}

/** Long enough to smooth batches, short enough to follow a change of speed. */
const RATE_WINDOW_SECONDS = 30;

/* Measured where all relays meet. A generation that is younger than the window is measured over its own age. */
const READ = `
SELECT g.filled_at IS NOT NULL AS is_filled,
  count(l.*) FILTER (WHERE l.state = 'pending')::integer AS pending,
  count(l.*) FILTER (WHERE l.state = 'synced')::integer AS synced,
  count(l.*) FILTER (WHERE l.state = 'dead')::integer AS dead,
  count(l.*) FILTER (WHERE l.state = 'tombstone')::integer AS tombstone,
  (count(l.*) FILTER (WHERE l.recorded_at > clock_timestamp() - $2::integer * interval '1 second')
    / greatest(1, least($2::integer, extract(epoch FROM clock_timestamp() - g.created_at))))::double precision AS rate
FROM index_generations g LEFT JOIN index_ledger l ON l.generation_id = g.id
WHERE g.id = $1 GROUP BY g.id`;

interface Row {
  is_filled: boolean;
  pending: number;
  synced: number;
  dead: number;
  tombstone: number;
  rate: number;
}

/** Counts the entries of a generation and the speed of its relays; `null` = no such generation. */
export async function readProgress(session: SqlSession, generationId: number): Promise<GenerationProgress | null> {
  const { rows } = await session.query<Row>(READ, [generationId, RATE_WINDOW_SECONDS]);
  const row = rows[0];
  if (row === undefined) return null;
  const { pending, synced, dead, tombstone } = row;
  const ratePerSecond = Number(row.rate);
  const eta = ratePerSecond > 0 ? pending / ratePerSecond : null;
  return {
    generationId,
    isFilled: row.is_filled,
    entries: { pending, synced, dead, tombstone },
    ratePerSecond,
    etaSeconds: row.is_filled ? (pending === 0 ? 0 : eta) : null,
  };
}

import type { SqlSession } from '#database';

/** What a generation's row says about restores. */
export interface EpochRow {
  readonly epoch: string;
  /** The collection may still hold this one: two stores cannot be written at once. */
  readonly previousEpoch: string | null;
  /** A healing has begun and has not ended. */
  readonly isPaused: boolean;
}

const READ = `SELECT epoch, previous_epoch, paused_at IS NOT NULL AS is_paused FROM index_generations WHERE id = $1`;

/* Of two replicas that advance at once one succeeds. Not while it is paused: whoever heals gives it a new epoch. */
const ADVANCE = `
UPDATE index_generations SET previous_epoch = epoch, epoch = $3 WHERE id = $1 AND epoch = $2 AND paused_at IS NULL`;

/* Without a previous one: what the collection holds until it is written is no epoch of this database. */
const RENEW = `UPDATE index_generations SET previous_epoch = NULL, epoch = $2 WHERE id = $1`;

/* Protocol rule 10: relays claim nothing of it from here on. A second call keeps the first time, from which the grace is counted. */
const PAUSE = `
UPDATE index_generations SET paused_at = coalesce(paused_at, clock_timestamp()), pause_reason = coalesce(pause_reason, $2) WHERE id = $1`;

/* The database's clock, on both ends. */
const GRACE_LEFT = `
SELECT greatest(0, extract(epoch FROM paused_at - clock_timestamp())::double precision * 1000 + $2::double precision) AS left_ms
FROM index_generations WHERE id = $1`;

const RESUME = `UPDATE index_generations SET paused_at = NULL, pause_reason = NULL WHERE id = $1`;

/** Reads the row, or `null` when there is no such generation. */
export async function readEpoch(session: SqlSession, generationId: number): Promise<EpochRow | null> {
  const { rows } = await session.query<{ epoch: string; previous_epoch: string | null; is_paused: boolean }>(READ, [generationId]);
  const row = rows[0];
  return row === undefined ? null : { epoch: row.epoch, previousEpoch: row.previous_epoch, isPaused: row.is_paused };
}

/** Returns whether this call advanced it. */
export async function advanceEpoch(session: SqlSession, generationId: number, from: string, to: string): Promise<boolean> {
  const { rowCount } = await session.query(ADVANCE, [generationId, from, to]);
  return rowCount === 1;
}

export async function renewEpoch(session: SqlSession, generationId: number, epoch: string): Promise<void> {
  await session.query(RENEW, [generationId, epoch]);
}

export async function pauseGeneration(session: SqlSession, generationId: number, reason: string): Promise<void> {
  await session.query(PAUSE, [generationId, reason]);
}

/** How much of the grace since the pause is left, milliseconds. */
export async function graceLeftMs(session: SqlSession, generationId: number, graceMs: number): Promise<number> {
  const { rows } = await session.query<{ left_ms: number | null }>(GRACE_LEFT, [generationId, graceMs]);
  return Number(rows[0]?.left_ms ?? 0);
}

export async function resumeGeneration(session: SqlSession, generationId: number): Promise<void> {
  await session.query(RESUME, [generationId]);
}

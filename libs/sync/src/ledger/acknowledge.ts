import type { SqlSession } from '#database';

/** `synced`: the index took the content; `skipped`: it had it already; `deleted`: the point is gone and leaves a tombstone. */
export type AcknowledgementKind = 'synced' | 'skipped' | 'deleted';

export interface Acknowledgement {
  readonly sourceId: string;
  /** The version that was read with the row. */
  readonly rev: number;
  readonly kind: AcknowledgementKind;
  /** Of a synced entry. */
  readonly textHash: Buffer | null;
  readonly payloadHash: Buffer | null;
}

export interface AcknowledgementResult {
  readonly sourceId: string;
  /** `false` = superseded: the entry has a newer version, stays in doubt, and is free to be claimed again. */
  readonly isRecorded: boolean;
  /** From the change to now, milliseconds, by the database's clock. */
  readonly lagMs: number;
}

/*
 * Protocol rule 6, for a whole batch: records what still has the version that was read, and only lets go of what has not. Both by token.
 *
 * SKIP LOCKED (rule 13): a batch that waits for a writer, who then needs another entry of the batch, would be a deadlock. What is skipped is absent
 * from the answer. The lock and the version test are in the same statement, and the version cannot change once it is locked.
 *
 * Its form, here and in the other statements over a batch, leaves the planner no choice but to look up each entry by its key and to join by hash. It takes
 * an entry with a certain token for the only one, so a plain join on the token compares each entry of the batch with each; and as long as it has no
 * statistics, as in the minutes after a first import, it reads the whole generation. The token is not asked for twice: what `done` has locked keeps it.
 */
const ACKNOWLEDGE = `
WITH done AS (
  SELECT l.source_id, a.rev, a.kind, a.text_hash, a.payload_hash
  FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::bytea[], $7::bytea[]) AS a (source_id, rev, kind, text_hash, payload_hash)
  CROSS JOIN LATERAL (
    SELECT source_id FROM index_ledger
    WHERE generation_id = $1 AND source_id = a.source_id AND lease_token = $2 FOR UPDATE SKIP LOCKED) l)
UPDATE index_ledger AS l SET
  lease_token = NULL, lease_until = NULL,
  state = CASE WHEN l.version <> d.rev THEN l.state WHEN d.kind = 'deleted' THEN 'tombstone' ELSE 'synced' END,
  in_doubt = CASE WHEN l.version <> d.rev THEN l.in_doubt ELSE false END,
  attempts = CASE WHEN l.version <> d.rev THEN l.attempts ELSE 0 END,
  last_error = CASE WHEN l.version <> d.rev THEN l.last_error END,
  indexed_version = CASE WHEN l.version <> d.rev OR d.kind = 'skipped' THEN l.indexed_version WHEN d.kind = 'synced' THEN d.rev END,
  indexed_hash = CASE WHEN l.version <> d.rev OR d.kind = 'skipped' THEN l.indexed_hash WHEN d.kind = 'synced' THEN d.text_hash END,
  indexed_payload_hash = CASE WHEN l.version <> d.rev OR d.kind = 'skipped' THEN l.indexed_payload_hash WHEN d.kind = 'synced' THEN d.payload_hash END,
  recorded_at = CASE WHEN l.version <> d.rev OR d.kind = 'skipped' THEN l.recorded_at ELSE now() END,
  next_attempt_at = CASE WHEN l.version = d.rev AND d.kind = 'deleted' THEN now() + $8::double precision * interval '1 millisecond' ELSE l.next_attempt_at END
FROM done d WHERE l.generation_id = $1 AND l.source_id = ANY($3::uuid[]) AND l.source_id = d.source_id
RETURNING l.source_id, l.version = d.rev AS is_recorded, extract(epoch FROM clock_timestamp() - l.changed_at)::double precision * 1000 AS lag_ms`;

/**
 * Records the outcome of a batch under its token.
 *
 * @param graceMs how long a tombstone waits before it is checked
 * @returns one result for each entry that was reached; those that are locked by a writer, or no longer held, are absent
 */
export async function acknowledge(
  session: SqlSession,
  generationId: number,
  token: string,
  entries: readonly Acknowledgement[],
  graceMs: number,
): Promise<AcknowledgementResult[]> {
  const { rows } = await session.query<{ source_id: string; is_recorded: boolean; lag_ms: number }>(ACKNOWLEDGE, [
    generationId,
    token,
    entries.map(({ sourceId }) => sourceId),
    entries.map(({ rev }) => rev),
    entries.map(({ kind }) => kind),
    entries.map(({ textHash }) => textHash),
    entries.map(({ payloadHash }) => payloadHash),
    graceMs,
  ]);
  return rows.map((row) => ({ sourceId: row.source_id, isRecorded: row.is_recorded, lagMs: Number(row.lag_ms) }));
}

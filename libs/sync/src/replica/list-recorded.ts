import type { SqlSession } from '#database';

export interface RecordedPage {
  readonly sourceIds: string[];
  /** Pass as `after` for the next page; `null` at the end. */
  readonly next: RecordedPosition | null;
}

export interface RecordedPosition {
  /** As the database prints it: a JavaScript date would lose the microseconds. */
  readonly recordedAt: string;
  readonly sourceId: string;
}

export interface RecordedWindow {
  /** A time as the database prints it. */
  readonly since: string;
  /** How long before `since` the window begins, milliseconds. */
  readonly overlapMs: number;
}

/*
 * Rule 6 sets recorded_at whenever indexed_* changes, which is what a copy has to follow. The window begins before the last look, because records are
 * not committed in the order of their times. The plain comparison beside the keyset is what makes the partial index usable.
 */
const LIST = `
SELECT source_id, recorded_at::text AS recorded_at FROM index_ledger
WHERE generation_id = $1 AND recorded_at > $2::timestamptz - $3::double precision * interval '1 millisecond'
  AND ($4::timestamptz IS NULL OR (recorded_at, source_id) > ($4::timestamptz, $5::uuid))
ORDER BY recorded_at, source_id LIMIT $6`;

/** Lists the ids of entries whose bookkeeping has changed within the window, in the order of that change. */
export async function listRecorded(
  session: SqlSession,
  generationId: number,
  { since, overlapMs }: RecordedWindow,
  after: RecordedPosition | null,
  limit: number,
): Promise<RecordedPage> {
  const { rows } = await session.query<{ source_id: string; recorded_at: string }>(LIST, [
    generationId,
    since,
    overlapMs,
    after?.recordedAt ?? null,
    after?.sourceId ?? null,
    limit,
  ]);
  const last = rows.at(-1);
  return {
    sourceIds: rows.map(({ source_id }) => source_id),
    next: last === undefined || rows.length < limit ? null : { recordedAt: last.recorded_at, sourceId: last.source_id },
  };
}

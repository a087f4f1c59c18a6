import type { SqlSession } from '#database';

/* Protocol rule 9, no entry: the row that owns the point, if there is one, decides what becomes of it. DO NOTHING: a writer was faster. */
const ENTER = `
INSERT INTO index_ledger (generation_id, source_id, version, state, in_doubt, changed_at)
SELECT $1, p.source_id, greatest(nextval('index_version_seq'), p.rev::bigint + 1), 'pending', true, now()
FROM unnest($2::uuid[], $3::bigint[]) AS p (source_id, rev)
ORDER BY 2
ON CONFLICT (generation_id, source_id) DO NOTHING
RETURNING source_id`;

/** Gives points that the ledger does not know an entry, so that the relay writes or deletes them; returns the ids that were entered. */
export async function enterUnknownPoints(
  session: SqlSession,
  generationId: number,
  points: readonly { readonly id: string; readonly rev: number }[],
): Promise<string[]> {
  if (points.length === 0) return [];
  const { rows } = await session.query<{ source_id: string }>(ENTER, [
    generationId,
    points.map(({ id }) => id),
    points.map(({ rev }) => rev),
  ]);
  return rows.map((row) => row.source_id);
}

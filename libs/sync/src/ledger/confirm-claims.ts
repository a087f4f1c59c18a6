import type { SqlSession } from '#database';

/*
 * Protocol rule 3. Runs in the snapshot that the rows are then read from, after the claim has committed: the version that is returned and the row
 * that is read belong together, so equal rev means equal content. The token drops what another relay has claimed meanwhile. No lock: a lock here
 * would wait for a writer and then pair its new version with the old row.
 */
const CONFIRM = `
SELECT source_id, version FROM index_ledger WHERE generation_id = $1 AND source_id = ANY($2::uuid[]) AND lease_token = $3`;

/** Returns the version (`rev`) of each entry that is still held under the token, by source id. Call it in a REPEATABLE READ transaction. */
export async function confirmClaims(
  session: SqlSession,
  generationId: number,
  sourceIds: readonly string[],
  token: string,
): Promise<Map<string, number>> {
  const { rows } = await session.query<{ source_id: string; version: string }>(CONFIRM, [generationId, sourceIds, token]);
  return new Map(rows.map((row) => [row.source_id, Number(row.version)]));
}

import type { SqlSession } from '#database';

/** Removes the files of jobs, and the external ids that were noted of them: none of them will be read again. */
export async function removeStagedFiles(session: SqlSession, jobIds: readonly string[]): Promise<void> {
  if (jobIds.length === 0) return;
  await session.query('DELETE FROM ingestion_pieces WHERE job_id = ANY($1::uuid[])', [jobIds]);
  await session.query('DELETE FROM ingestion_external_ids WHERE job_id = ANY($1::uuid[])', [jobIds]);
}

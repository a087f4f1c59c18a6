import type { SqlSession } from '#database';

/*
 * Protocol rule 11: as the trigger enters rows, and like it not for a retired generation (rule 12); but what the trigger has entered already is left
 * alone.
 */
const ENTER = `
INSERT INTO index_ledger (generation_id, source_id, version, state, changed_at)
SELECT $1, r.id, nextval('index_version_seq'), 'pending', now() FROM unnest($2::uuid[]) AS r (id)
WHERE EXISTS (SELECT 1 FROM index_generations WHERE id = $1 AND state <> 'retired')
ORDER BY 2
ON CONFLICT (generation_id, source_id) DO NOTHING`;

/* Rule 13: the insert waits for a writer that has entered the same key; below deadlock_timeout, so that the wait ends before anybody is a victim. */
const LIMIT_WAIT = `
SELECT set_config('lock_timeout', (SELECT greatest(1, least(200, setting::integer / 2)) FROM pg_settings WHERE name = 'deadlock_timeout')::text, true)`;

/**
 * Bounds every wait for a lock in the transaction of the session.
 *
 * Then statements fail with SQLSTATE 55P03 (`database.busy`) when a writer holds a key too long; roll back and try again
 */
export async function limitLockWait(session: SqlSession): Promise<void> {
  await session.query(LIMIT_WAIT);
}

/**
 * Enters rows into the ledger of a generation, in the transaction of the session.
 *
 * @throws an error with SQLSTATE 55P03 when a writer holds one of the keys too long; roll back and try again
 */
export async function enterRows(session: SqlSession, generationId: number, ids: readonly string[]): Promise<number> {
  await limitLockWait(session);
  const { rowCount } = await session.query(ENTER, [generationId, ids]);
  return rowCount;
}

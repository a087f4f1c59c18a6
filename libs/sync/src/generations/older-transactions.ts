import type { SqlSession } from '#database';

export interface OpenTransaction {
  /** Identifies the transaction, also when its connection goes on to the next one. */
  readonly id: string;
  /** Server process, for the person who has to end it; `null` for a prepared transaction. */
  readonly pid: number | null;
  readonly description: string;
}

/*
 * Protocol rule 11. Virtual ids, not xids: a REPEATABLE READ transaction that has only read so far has a snapshot without the new generation, and no
 * xid yet. Autovacuum workers are left out: they hold snapshots for hours and change no row.
 */
const OPEN = `
SELECT l.virtualtransaction || '@' || coalesce(a.backend_start::text, '') AS id, l.pid, coalesce(nullif(a.application_name, ''), 'a client without a name') AS description
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'virtualxid' AND l.pid <> pg_backend_pid() AND a.datname = current_database() AND a.backend_type IS DISTINCT FROM 'autovacuum worker'`;

/* After those above are gone, so that a transaction cannot slip from open to prepared between the two looks. */
const PREPARED = `
SELECT gid AS id, NULL::integer AS pid, 'prepared transaction ' || gid AS description FROM pg_prepared_xacts WHERE database = current_database()`;

/** Lists the transactions of this database, but for the caller's own, that were begun by now. */
export async function listOpenTransactions(session: SqlSession): Promise<OpenTransaction[]> {
  return (await session.query<{ id: string; pid: number | null; description: string }>(OPEN)).rows;
}

/** Lists the prepared transactions of this database. */
export async function listPreparedTransactions(session: SqlSession): Promise<OpenTransaction[]> {
  return (await session.query<{ id: string; pid: number | null; description: string }>(PREPARED)).rows;
}

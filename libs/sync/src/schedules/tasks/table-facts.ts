import type { SqlSession } from '#database';

export interface TableFacts {
  readonly tables: readonly { readonly table: string; readonly live_rows: number; readonly dead_rows: number; readonly bytes: number }[];
  /** Age of the oldest open transaction of this database, seconds; `null` = none, or the role may not see others'. A long one keeps dead rows alive. */
  readonly oldest_transaction_seconds: number | null;
}

/* Estimates of the statistics collector: counting would read the tables. */
const TABLES = `
SELECT relname AS table, n_live_tup::double precision AS live_rows, n_dead_tup::double precision AS dead_rows,
  pg_total_relation_size(relid)::double precision AS bytes
FROM pg_stat_user_tables
WHERE schemaname = 'public' AND relname = ANY('{embedding_cache,index_certificates,index_generations,index_ledger,sync_schedule_runs}')
ORDER BY relname`;

/* A prepared transaction holds the horizon as well, without any session. */
const OLDEST_TRANSACTION = `
SELECT extract(epoch FROM clock_timestamp() - least(
  (SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),
  (SELECT min(prepared) FROM pg_prepared_xacts WHERE database = current_database())))::double precision AS seconds`;

/** What the tables of the engine weigh, and what may keep PostgreSQL from cleaning them. */
export async function readTableFacts(session: SqlSession): Promise<TableFacts> {
  const tables = await session.query<TableFacts['tables'][number]>(TABLES);
  const oldest = await session.query<{ seconds: number | null }>(OLDEST_TRANSACTION);
  return { tables: tables.rows, oldest_transaction_seconds: oldest.rows[0]!.seconds };
}

import type { SqlSession } from '#database';

const NOW = `SELECT clock_timestamp() AS now`;

/** The database's clock, which all times of the ledger come from. */
export async function databaseNow(session: SqlSession): Promise<Date> {
  return (await session.query<{ now: Date }>(NOW)).rows[0]!.now;
}

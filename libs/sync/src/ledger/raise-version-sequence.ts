import type { SqlSession } from '#database';

const LAST_VERSION = `SELECT last_value FROM index_version_seq`;

/* Protocol rule 10. The gap leaves room for points that were not seen. */
const RAISE = `SELECT setval('index_version_seq', greatest(last_value, $1::bigint) + 1000000) FROM index_version_seq`;

/** The highest version given out so far. Read it after the points it is compared with. */
export async function lastVersion(session: SqlSession): Promise<number> {
  const { rows } = await session.query<{ last_value: string }>(LAST_VERSION);
  return Number(rows[0]!.last_value);
}

/** Moves the sequence well above `rev`: the database is older than the index, and its versions would lose against the fence. */
export async function raiseVersionSequence(session: SqlSession, rev: number): Promise<void> {
  await session.query(RAISE, [rev]);
}

import type { SqlSession } from '#database';

/* FOR SHARE: the settings stay as they are until the chunks that were made with them are committed. In order of the id, as every writer takes them. */
const HOLD = 'SELECT id, version FROM collections WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE';

/**
 * Keeps collections from being changed until the end of the transaction.
 *
 * @param versions expected, by id
 * @returns the ids of those that still have that version; chunks that were made for the others are old
 */
export async function holdCollections(session: SqlSession, versions: ReadonlyMap<string, number>): Promise<Set<string>> {
  const { rows } = await session.query<{ id: string; version: number }>(HOLD, [[...versions.keys()]]);
  return new Set(rows.filter(({ id, version }) => versions.get(id) === version).map(({ id }) => id));
}

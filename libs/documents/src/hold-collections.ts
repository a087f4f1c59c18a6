import type { SqlSession } from '#database';

/* FOR SHARE: the settings stay as they are until the chunks that were made with them are committed. In order of the id, as every writer takes them. */
const HOLD = 'SELECT id, version, chunking_model_rev FROM collections WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE';

interface HeldCollection {
  readonly id: string;
  readonly version: number;
  readonly chunking_model_rev: string | null;
}

/**
 * Keeps collections from being changed until the end of the transaction. Every writer of several documents does so first: then come the documents in the order of
 * their ids, then the chunks in that of theirs.
 *
 * @param versions expected, by id
 * @param modelRev by whose tokens the chunks were cut
 * @returns the ids of those that still have that version and that model; chunks that were made for the others are old
 */
export async function holdCollections(
  session: SqlSession,
  versions: ReadonlyMap<string, number>,
  modelRev: string | null,
): Promise<Set<string>> {
  const { rows } = await session.query<HeldCollection>(HOLD, [[...versions.keys()]]);
  const isCurrent = ({ id, version, chunking_model_rev: known }: HeldCollection) =>
    versions.get(id) === version && (known === null || known === modelRev);
  return new Set(rows.filter(isCurrent).map(({ id }) => id));
}

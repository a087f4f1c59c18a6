import type { SqlSession } from '#database';
import type { CollectionInfo } from '#vector-store';
import type { IndexGeneration } from '../generations/index-generation.js';

/** Metadata key: which database the collection belongs to. */
export const DATABASE_ID_KEY = 'database_id';

const READ = `SELECT id FROM kindred_identity`;

/** The id that this database was given once; a dump carries it along. */
export async function readDatabaseId(session: SqlSession): Promise<string> {
  const { rows } = await session.query<{ id: string }>(READ);
  return rows[0]!.id;
}

/**
 * Says why the collection is not the one of this generation in this database, or returns `null`. What the collection does not say is no contradiction:
 * whoever attaches it writes it down.
 */
export function findStrangeness(
  { metadata, dimensions }: Pick<CollectionInfo, 'metadata' | 'dimensions'>,
  generation: IndexGeneration,
  databaseId: string,
): string | null {
  const differs = (key: string, expected: string | number): boolean => metadata[key] !== undefined && metadata[key] !== expected;
  if (differs(DATABASE_ID_KEY, databaseId))
    return `The collection ${generation.collection} belongs to another database (${metadata[DATABASE_ID_KEY]})`;
  if (differs('source', generation.source) || differs('generation', generation.id) || differs('model_rev', generation.modelRev)) {
    return `The collection ${generation.collection} says that it belongs to another generation`;
  }
  if (dimensions !== generation.dimensions) {
    return `The collection ${generation.collection} has ${dimensions} dimensions, not ${generation.dimensions}`;
  }
  return null;
}

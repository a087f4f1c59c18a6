import type { SqlSession } from './unit-of-work.js';

/** Whether there is a table, sequence or view of that name. @param name as SQL has it, with its schema */
export async function hasRelation(session: SqlSession, name: string): Promise<boolean> {
  const { rows } = await session.query<{ is_there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS is_there', [name]);
  return rows[0]!.is_there;
}

import type { SqlSession } from '#database';
import type { ProjectFields } from './project.js';
import { WRITABLE } from './project-record.js';

/** A row to write; the id counts only for rows without an external id, which are always new. */
export interface ProjectUpsert {
  readonly id: string;
  readonly fields: ProjectFields;
}

/** What became of the rows of a batch; the three sum up to its size. */
export interface UpsertCounts {
  readonly inserted: number;
  readonly updated: number;
  /** Were there already, the same in every field, and were not written. */
  readonly unchanged: number;
}

const COLUMNS = WRITABLE.map(([name]) => name);
const FIELDS_OF = (alias: string) => WRITABLE.map(([name, type]) => `${alias}.${name}::${type}`).join(', ');

/*
 * One statement for the whole batch. Rows that are there already and equal are sorted out before the upsert, because ON CONFLICT would lock them, and
 * that is a write. In the order of their external ids, so that two imports at once do not wait for each other in a ring.
 */
const UPSERT = `
WITH input AS (
  SELECT * FROM unnest($1::uuid[], ${WRITABLE.map(([, type], index) => `$${index + 2}::${type}[]`).join(', ')}) AS i (id, ${COLUMNS.join(', ')})
), changed AS (
  SELECT i.* FROM input i LEFT JOIN projects p ON p.external_id = i.external_id
  WHERE p.id IS NULL OR (${FIELDS_OF('p')}) IS DISTINCT FROM (${FIELDS_OF('i')})
), written AS (
  INSERT INTO projects (id, ${COLUMNS.join(', ')})
  SELECT CASE WHEN external_id IS NULL THEN id ELSE kindred_uuid_v7() END, ${COLUMNS.join(', ')} FROM changed ORDER BY external_id, id
  ON CONFLICT (external_id) DO UPDATE SET ${COLUMNS.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}
  RETURNING version
)
SELECT count(*) FILTER (WHERE version = 1)::integer AS inserted, count(*) FILTER (WHERE version > 1)::integer AS updated FROM written`;

/**
 * Writes rows by their external ids, in the transaction of `session`: new ones are inserted, others replaced as a whole, equal ones left alone.
 *
 * No external id may be there twice, and no id. The triggers enter what was written into the ledger, and nothing else.
 */
export async function upsertProjects(session: SqlSession, rows: readonly ProjectUpsert[]): Promise<UpsertCounts> {
  if (rows.length === 0) return { inserted: 0, updated: 0, unchanged: 0 };
  const parameters = [rows.map(({ id }) => id), ...COLUMNS.map((name) => rows.map(({ fields }) => fields[name]))];
  const { inserted, updated } = (await session.query<{ inserted: number; updated: number }>(UPSERT, parameters)).rows[0]!;
  return { inserted, updated, unchanged: rows.length - inserted - updated };
}

import type { SqlSession } from '#database';
import type { IndexGeneration } from './index-generation.js';
import { GENERATION_COLUMNS, toGeneration, type GenerationRow } from './list-generations.js';

/*
 * By the database's clock: only after the grace is every write that a relay sent before it heard of the retirement applied, or never will be, so that
 * none can meet a collection that is gone. A generation without the time was retired by hand; it waits from now on.
 */
const STAMP = `UPDATE index_generations SET retired_at = now() WHERE state = 'retired' AND retired_at IS NULL`;

const LIST_DUE = `
SELECT ${GENERATION_COLUMNS} FROM index_generations
WHERE state = 'retired' AND dropped_at IS NULL AND retired_at + $1::double precision * interval '1 millisecond' <= clock_timestamp() ORDER BY id`;

const MARK_DROPPED = `UPDATE index_generations SET dropped_at = now() WHERE id = $1 AND state = 'retired' AND dropped_at IS NULL`;

/* A writer that was in the middle of its statement when the generation was retired may have entered its rows after the entries were removed. */
const LIST_LEFTOVERS = `
SELECT g.id FROM index_generations g
WHERE g.dropped_at IS NOT NULL AND EXISTS (SELECT 1 FROM index_ledger l WHERE l.generation_id = g.id) ORDER BY g.id`;

/** Lists the retired generations whose grace is over and of which something is left. */
export async function listDueRetirements(session: SqlSession, graceMs: number): Promise<IndexGeneration[]> {
  await session.query(STAMP);
  return (await session.query<GenerationRow>(LIST_DUE, [graceMs])).rows.map(toGeneration);
}

/** Records that nothing of the generation is left but its row. */
export async function markDropped(session: SqlSession, generationId: number): Promise<void> {
  await session.query(MARK_DROPPED, [generationId]);
}

/** Lists dropped generations that have entries again. */
export async function listLeftovers(session: SqlSession): Promise<number[]> {
  return (await session.query<{ id: number }>(LIST_LEFTOVERS)).rows.map(({ id }) => id);
}

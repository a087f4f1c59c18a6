import type { SqlSession } from '#database';

/* Protocol rule 12: final. The serving one stays: a source without a serving generation answers no query. */
const RETIRE = `
UPDATE index_generations SET state = 'retired', retired_at = now() WHERE id = $1 AND state IN ('building', 'standby')`;

/** Ends a generation for good; from the next statement on, triggers no longer enter changes for it. Returns whether this call did. */
export async function retireGeneration(session: SqlSession, generationId: number): Promise<boolean> {
  return (await session.query(RETIRE, [generationId])).rowCount === 1;
}

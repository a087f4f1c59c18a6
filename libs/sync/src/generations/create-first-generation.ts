import type { SqlSession } from '#database';
import type { EmbedderDescriptor } from '#embeddings';

export interface FirstGeneration {
  readonly source: string;
  /** Makes the physical name from the id, which is reserved first because the name holds it. */
  readonly nameCollection: (id: number) => string;
  readonly modelRev: string;
  readonly templateRev: string;
  readonly embedder: EmbedderDescriptor;
}

const HAS_GENERATION = `SELECT EXISTS (SELECT 1 FROM index_generations WHERE source = $1) AS has_generation`;

const RESERVE_ID = `SELECT nextval(pg_get_serial_sequence('index_generations', 'id'))::integer AS id`;

/*
 * Protocol rule 12: serving at once, since there is no old one and, without a generation, no ledger entry of the source. Of N replicas one succeeds:
 * the unique index on the serving generation makes the others insert nothing.
 */
const CREATE = `
INSERT INTO index_generations (id, source, collection, model_rev, template_rev, dimensions, state, embedder, serving_since) OVERRIDING SYSTEM VALUE
SELECT $1, $2, $3, $4, $5, $6, 'serving', $7::jsonb, now()
WHERE NOT EXISTS (SELECT 1 FROM index_generations WHERE source = $2)
ON CONFLICT DO NOTHING`;

/** Creates the first generation of a source unless it has one; returns whether this call did. Must be committed before it is filled. */
export async function createFirstGeneration(session: SqlSession, first: FirstGeneration): Promise<boolean> {
  const existing = await session.query<{ has_generation: boolean }>(HAS_GENERATION, [first.source]);
  if (existing.rows[0]!.has_generation) return false;
  const reserved = await session.query<{ id: number }>(RESERVE_ID);
  const id = reserved.rows[0]!.id;
  const { rowCount } = await session.query(CREATE, [
    id,
    first.source,
    first.nameCollection(id),
    first.modelRev,
    first.templateRev,
    first.embedder.dimensions,
    JSON.stringify(first.embedder),
  ]);
  return rowCount === 1;
}

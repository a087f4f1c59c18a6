import type { SqlSession } from '#database';
import type { EmbedderDescriptor } from '#embeddings';

export interface BuildingGeneration {
  readonly source: string;
  /** Makes the physical name from the id, which is reserved first because the name holds it. */
  readonly nameCollection: (id: number) => string;
  readonly modelRev: string;
  readonly templateRev: string;
  readonly embedder: EmbedderDescriptor;
  readonly reason: string | null;
}

const RESERVE_ID = `SELECT nextval(pg_get_serial_sequence('index_generations', 'id'))::integer AS id`;

/*
 * Protocol rule 11. One generation of a source is built at a time: the unique index makes the second operator's insert nothing. Not before there is a
 * serving one, which could never step down otherwise (rule 12).
 */
const CREATE = `
INSERT INTO index_generations (id, source, collection, model_rev, template_rev, dimensions, state, embedder, reason) OVERRIDING SYSTEM VALUE
SELECT $1, $2, $3, $4, $5, $6, 'building', $7::jsonb, $8
WHERE EXISTS (SELECT 1 FROM index_generations WHERE source = $2 AND state = 'serving')
ON CONFLICT (source) WHERE state = 'building' DO NOTHING`;

/**
 * Creates a generation that is to be filled, and returns its id; `null` when the source has one already, or none that serves. Must be committed before
 * it is filled.
 */
export async function createBuildingGeneration(session: SqlSession, building: BuildingGeneration): Promise<number | null> {
  const reserved = await session.query<{ id: number }>(RESERVE_ID);
  const id = reserved.rows[0]!.id;
  const { rowCount } = await session.query(CREATE, [
    id,
    building.source,
    building.nameCollection(id),
    building.modelRev,
    building.templateRev,
    building.embedder.dimensions,
    JSON.stringify(building.embedder),
    building.reason,
  ]);
  return rowCount === 1 ? id : null;
}

import type { EmbedderDescriptor } from '#embeddings';
import type { SqlSession } from '#database';
import type { IndexGeneration } from './index-generation.js';

/** Columns of {@link GenerationRow}. */
export const GENERATION_COLUMNS = 'id, source, collection, model_rev, template_rev, dimensions, state, embedder, filled_at, paused_at';

const LIST = `SELECT ${GENERATION_COLUMNS} FROM index_generations WHERE state <> 'retired' ORDER BY id`;

export interface GenerationRow {
  id: number;
  source: string;
  collection: string;
  model_rev: string;
  template_rev: string;
  dimensions: number;
  state: IndexGeneration['state'];
  embedder: EmbedderDescriptor;
  filled_at: Date | null;
  paused_at: Date | null;
}

/** Reads all generations that are written to, in one statement: collection and model of a row are never mixed with those of another. */
export async function listGenerations(session: SqlSession): Promise<IndexGeneration[]> {
  const { rows } = await session.query<GenerationRow>(LIST);
  return rows.map(toGeneration);
}

export function toGeneration(row: GenerationRow): IndexGeneration {
  return {
    id: row.id,
    source: row.source,
    collection: row.collection,
    modelRev: row.model_rev,
    templateRev: row.template_rev,
    dimensions: row.dimensions,
    state: row.state,
    embedder: row.embedder,
    filledAt: row.filled_at,
    pausedAt: row.paused_at,
  };
}

import type { EmbedderDescriptor } from '#embeddings';
import type { SqlSession } from '#database';
import type { IndexGeneration } from './index-generation.js';

const LIST = `
SELECT id, source, collection, model_rev, template_rev, dimensions, state, embedder, filled_at FROM index_generations
WHERE state <> 'retired' ORDER BY id`;

interface Row {
  id: number;
  source: string;
  collection: string;
  model_rev: string;
  template_rev: string;
  dimensions: number;
  state: IndexGeneration['state'];
  embedder: EmbedderDescriptor;
  filled_at: Date | null;
}

/** Reads all generations that are written to, in one statement: collection and model of a row are never mixed with those of another. */
export async function listGenerations(session: SqlSession): Promise<IndexGeneration[]> {
  const { rows } = await session.query<Row>(LIST);
  return rows.map((row) => ({
    id: row.id,
    source: row.source,
    collection: row.collection,
    modelRev: row.model_rev,
    templateRev: row.template_rev,
    dimensions: row.dimensions,
    state: row.state,
    embedder: row.embedder,
    filledAt: row.filled_at,
  }));
}

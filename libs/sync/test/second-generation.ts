import { modelRevOf, type EmbedderDescriptor } from '#embeddings';
import type { FakeEmbedder } from '#testing';
import type { IndexGeneration } from '../src/index.js';
import type { SyncHarness } from './sync-harness.js';

/** A second generation of the same rows with a model of its own, attached; to be removed by the test. */
export interface SecondGeneration {
  readonly generation: IndexGeneration;
  readonly embedder: FakeEmbedder;
  remove(): Promise<void>;
}

export async function addSecondGeneration(harness: SyncHarness, state: 'building' | 'standby' = 'building'): Promise<SecondGeneration> {
  const { generation: first, database, store, catalog, embedders, source } = harness;
  const descriptor: EmbedderDescriptor = { ...first.embedder, model: 'another-model' };
  const collection = `${first.collection}_second`;
  const modelRev = modelRevOf(descriptor);
  const { rows } = await database.query<{ id: number }>(
    `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder, filled_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, now()) RETURNING id`,
    [first.source, collection, modelRev, first.templateRev, first.dimensions, state, JSON.stringify(descriptor)],
  );
  const { id } = rows[0]!;
  await store.ensureIndex({ name: collection, dimensions: first.dimensions, payloadIndexes: source.payloadIndexes, metadata: {} });
  catalog.invalidate();
  catalog.attach(id);
  return {
    generation: { ...first, id, collection, modelRev, state, embedder: descriptor },
    embedder: embedders.get(descriptor),
    async remove() {
      catalog.detach(id);
      await database.query('DELETE FROM index_ledger WHERE generation_id = $1', [id]);
      await database.query('DELETE FROM index_generations WHERE id = $1', [id]);
      await store.drop(collection);
      catalog.invalidate();
    },
  };
}

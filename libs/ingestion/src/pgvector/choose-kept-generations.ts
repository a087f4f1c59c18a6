import { modelLabelOf } from '#embeddings';
import type { IndexGeneration } from '#sync';
import { PgvectorImportError } from './pgvector-import.error.js';

/** The model that made the vectors of the source, as its owner declares it. */
export interface DeclaredModel {
  readonly model: string;
  readonly dimensions: number;
}

/**
 * The generations of a source that have the declared model: those whose relay will find the vectors.
 *
 * @param generations that are not retired
 * @throws PgvectorImportError when there is none, naming those that there are
 */
export function chooseKeptGenerations(
  generations: readonly IndexGeneration[],
  source: string,
  { model, dimensions }: DeclaredModel,
): IndexGeneration[] {
  const own = generations.filter((generation) => generation.source === source && generation.state !== 'retired');
  const chosen = own.filter(
    ({ embedder }) => embedder.dimensions === dimensions && (embedder.model === model || modelLabelOf(embedder) === model),
  );
  if (chosen.length > 0) return chosen;
  const known = own.map(({ id, embedder, state }) => `${id} (${state}): ${modelLabelOf(embedder)}, ${embedder.dimensions} dimensions`);
  throw new PgvectorImportError(
    `No index of ${source} has the model ${model} with ${dimensions} dimensions, so no vector can be kept. ` +
      `Build one first: kindred generations create ${source}. ${known.length === 0 ? 'There is none yet.' : `There are: ${known.join('; ')}.`}`,
  );
}

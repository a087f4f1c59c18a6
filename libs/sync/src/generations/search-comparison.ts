import type { RelayUnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import type { VectorStore } from '#vector-store';
import type { IndexDocument, IndexSource } from '../index-source.js';
import type { GateComparison } from './gate-report.js';
import type { IndexGeneration } from './index-generation.js';
import { mean, rankAgreement } from './rank-agreement.js';
import { sampleSyncedIds } from './sample-entries.js';

const QUERIES = 30;
const TOP = 10;

/** Asks two generations the same questions: what a change of model or template does to answers, on real rows. */
export class SearchComparison {
  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly store: VectorStore,
    private readonly embedders: EmbedderRegistry,
    private readonly queries = QUERIES,
  ) {}

  /** Queries both with the texts of rows, each with its own model; the row itself does not count. `null` without rows. */
  async run(serving: IndexGeneration, next: IndexGeneration, source: IndexSource, signal: AbortSignal): Promise<GateComparison | null> {
    const ids = await sampleSyncedIds(this.unitOfWork, next.id, this.queries);
    const documents = ids.length === 0 ? [] : await source.load(ids, this.unitOfWork);
    if (documents.length === 0) return null;
    const overlaps: number[] = [];
    const shifts: number[] = [];
    for (const document of documents) {
      const { overlap, shift } = rankAgreement(await this.best(serving, document, signal), await this.best(next, document, signal));
      overlaps.push(overlap);
      if (shift !== null) shifts.push(shift);
    }
    return { serving_generation: serving.id, queries: documents.length, overlap_at_10: mean(overlaps)!, rank_shift: mean(shifts) };
  }

  private async best(generation: IndexGeneration, { id, text }: IndexDocument, signal: AbortSignal): Promise<string[]> {
    const { vector } = await this.embedders.get(generation.embedder).embedQuery(text, { signal });
    const points = await this.store.query(generation.collection, { vector, limit: TOP + 1 }, { signal });
    return points
      .map((point) => point.id)
      .filter((other) => other !== id)
      .slice(0, TOP);
  }
}

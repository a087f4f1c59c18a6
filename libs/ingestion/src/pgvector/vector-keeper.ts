import type { SqlSession } from '#database';
import { renderChunk, type ChunkRepository, type PreparedDocuments } from '#documents';
import { cosineOf } from '#kernel';
import { normalised, SAME_VECTOR_COSINE, type CachedVectors, type IndexGeneration, type TextVector } from '#sync';
import type { VectorCounts } from './pgvector-import-counts.js';

/** What is to be done about the vectors of a batch. */
export interface VectorPlan {
  readonly items: readonly (TextVector & { readonly isOfOtherText: boolean })[];
  readonly severalChunks: number;
  readonly withoutVector: number;
  readonly chunkedLater: number;
}

/** Puts the vectors of the source where the relay looks before it embeds: under the hash of the text that the one chunk of the document renders to. */
export class VectorKeeper {
  /** @param generations that have the model which made the vectors; empty = nothing is kept */
  constructor(
    private readonly generations: readonly IndexGeneration[],
    private readonly vectors: CachedVectors,
    private readonly chunks: Pick<ChunkRepository, 'ofDocuments'>,
  ) {}

  /** Finds out which vectors can be kept. @param vectors by place of the document */
  async plan({ documents }: PreparedDocuments, vectors: readonly (Float32Array | null)[]): Promise<VectorPlan> {
    const counts = { severalChunks: 0, withoutVector: 0, chunkedLater: 0 };
    const items: (TextVector & { isOfOtherText: boolean })[] = [];
    if (this.generations.length === 0) return { items, ...counts };
    const stored = await this.chunks.ofDocuments(documents.filter(({ expected }) => expected === 'unchanged').map(({ id }) => id));
    documents.forEach(({ id, document, chunks: made }, place) => {
      const chunks = made ?? stored.get(id) ?? null;
      const vector = vectors[place]!;
      if (vector === null) counts.withoutVector++;
      else if (chunks === null) counts.chunkedLater++;
      else if (chunks.length !== 1) counts.severalChunks++;
      else {
        const text = renderChunk(chunks[0]!);
        items.push({ text, vector, isOfOtherText: text !== document.content.trim() });
      }
    });
    return { items, ...counts };
  }

  /** Stores what was planned, in the transaction of the documents: whoever sees them finds their vectors. */
  async keep(session: SqlSession, plan: VectorPlan): Promise<VectorCounts> {
    return this.countsOf(plan, (generation) => this.vectors.store(session, generation, plan.items));
  }

  /** What {@link keep} would count. Writes nothing. */
  async foresee(session: SqlSession, plan: VectorPlan): Promise<VectorCounts> {
    return this.countsOf(plan, async (generation) => {
      const texts = plan.items.map(({ text }) => text);
      const cached = await this.vectors.peek(session, generation, texts);
      return plan.items.map(({ vector }, place) => {
        const other = cached[place] ?? null;
        return other === null || cosineOf(other, normalised(vector, generation.dimensions)!) >= SAME_VECTOR_COSINE;
      });
    });
  }

  private async countsOf(plan: VectorPlan, store: (generation: IndexGeneration) => Promise<boolean[]>): Promise<VectorCounts> {
    const { items, severalChunks, withoutVector, chunkedLater } = plan;
    const isKept = items.map(() => true);
    for (const generation of items.length === 0 ? [] : this.generations) {
      (await store(generation)).forEach((isSame, place) => (isKept[place] &&= isSame));
    }
    const kept = items.filter((_, place) => isKept[place]);
    return {
      kept: kept.length,
      keptOfOtherText: kept.filter(({ isOfOtherText }) => isOfOtherText).length,
      otherVector: items.length - kept.length,
      severalChunks,
      withoutVector,
      chunkedLater,
    };
  }
}

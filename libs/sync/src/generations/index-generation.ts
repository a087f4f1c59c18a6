import type { EmbedderDescriptor } from '#embeddings';

/** One row of `index_generations`. */
export interface IndexGeneration {
  readonly id: number;
  readonly source: string;
  /** Physical name of the collection; never used again for another generation. */
  readonly collection: string;
  readonly modelRev: string;
  readonly templateRev: string;
  readonly dimensions: number;
  readonly state: 'building' | 'serving' | 'standby' | 'retired';
  readonly embedder: EmbedderDescriptor;
  /** When every row that existed at its creation had an entry; `null` = not yet. */
  readonly filledAt: Date | null;
}

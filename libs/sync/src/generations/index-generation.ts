import type { EmbedderDescriptor } from '#embeddings';

/**
 * What a generation is for.
 *
 * - `building`: it is filled, and answers nobody
 * - `serving`: it answers queries; one per source
 * - `standby`: it answered queries before, and is still written to, so that a rollback loses nothing
 * - `retired`: for good; nothing is written to it any more
 */
export type GenerationState = 'building' | 'serving' | 'standby' | 'retired';

/** One row of `index_generations`. */
export interface IndexGeneration {
  readonly id: number;
  readonly source: string;
  /** Physical name of the collection; never used again for another generation. */
  readonly collection: string;
  readonly modelRev: string;
  readonly templateRev: string;
  readonly dimensions: number;
  readonly state: GenerationState;
  readonly embedder: EmbedderDescriptor;
  /** When every row that existed at its creation had an entry; `null` = not yet. */
  readonly filledAt: Date | null;
  /** Set while no relay may claim its entries, because one side was restored (protocol rule 10). */
  readonly pausedAt: Date | null;
}

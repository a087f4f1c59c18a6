import type { EmbedderRegistry } from '#embeddings';
import type { GenerationRecord } from './generation-record.js';
import type { IndexGeneration } from './index-generation.js';

/** Loads the models that queries are about to need, and frees those that no generation has any more. */
export class ModelKeeper {
  private readonly warmed = new Map<string, Promise<void>>();
  private known: ReadonlySet<string> = new Set();

  constructor(private readonly embedders: EmbedderRegistry) {}

  /** Loads the model of the generation; whoever asks while it is being loaded, or later, shares that. */
  warm({ modelRev, embedder }: IndexGeneration): Promise<void> {
    const known = this.warmed.get(modelRev);
    if (known !== undefined) return known;
    const warming = this.load(embedder).catch((error: unknown) => {
      this.warmed.delete(modelRev);
      throw error;
    });
    this.warmed.set(modelRev, warming);
    return warming;
  }

  /**
   * Whether the model should be loaded now, and is not: that of a generation that serves or whose gate has passed, since the first query after a switch
   * must not wait for it. One that may never serve is left to the relay, which loads it when it has something to embed.
   */
  isNeeded({ modelRev, state, gateReport }: GenerationRecord): boolean {
    return !this.warmed.has(modelRev) && (state === 'serving' || gateReport?.status === 'passed');
  }

  /**
   * Closes the models that a generation had at the last call, and none has now.
   *
   * @param records every generation of which something is left: a pass of a retired one may be in flight until its grace is over
   */
  async release(records: readonly GenerationRecord[]): Promise<void> {
    const kept = new Set(records.map(({ modelRev }) => modelRev));
    const gone = [...this.known].filter((modelRev) => !kept.has(modelRev));
    this.known = kept;
    for (const modelRev of gone) {
      this.warmed.delete(modelRev);
      await this.embedders.release(modelRev);
    }
  }

  private async load(embedder: IndexGeneration['embedder']): Promise<void> {
    await this.embedders.get(embedder).ready();
  }
}

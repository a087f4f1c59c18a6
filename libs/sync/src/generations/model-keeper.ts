import type { EmbedderRegistry } from '#embeddings';
import type { GenerationRecord } from './generation-record.js';

/** Loads the models that queries are about to need, and frees those that no generation has any more. */
export class ModelKeeper {
  private readonly warmed = new Set<string>();
  private known: ReadonlySet<string> = new Set();

  constructor(private readonly embedders: EmbedderRegistry) {}

  /**
   * Loads the model of a generation that serves or whose gate has passed, once: the first query after a switch must not wait for it. One that may
   * never serve is left to the relay, which loads it when it has something to embed.
   */
  async warm({ modelRev, embedder }: GenerationRecord): Promise<void> {
    if (this.warmed.has(modelRev)) return;
    await this.embedders.get(embedder).ready();
    this.warmed.add(modelRev);
  }

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
}

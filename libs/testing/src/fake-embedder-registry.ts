import { EmbedderRegistry, modelRevOf, type EmbedderDescriptor } from '#embeddings';
import { FakeEmbedder } from './fake-embedder.js';

/** Double of the registry: one `FakeEmbedder` per `modelRev`, made when first asked for. */
export class FakeEmbedderRegistry extends EmbedderRegistry {
  private readonly embedders = new Map<string, FakeEmbedder>();

  /** @param configured its descriptor is the one of new generations */
  constructor(readonly configured: FakeEmbedder = new FakeEmbedder()) {
    super();
    this.embedders.set(configured.modelRev, configured);
  }

  describeConfigured(): Promise<EmbedderDescriptor> {
    return Promise.resolve(this.configured.descriptor);
  }

  get(descriptor: EmbedderDescriptor): FakeEmbedder {
    const modelRev = modelRevOf(descriptor);
    const known = this.embedders.get(modelRev);
    if (known !== undefined) return known;
    const made = new FakeEmbedder(descriptor);
    this.embedders.set(modelRev, made);
    return made;
  }

  async close(): Promise<void> {
    await Promise.all([...this.embedders.values()].map((embedder) => embedder.close()));
  }
}

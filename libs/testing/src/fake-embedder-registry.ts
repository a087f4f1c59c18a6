import { EmbedderRegistry, modelRevOf, type EmbedderDescriptor, type EmbedderOverrides } from '#embeddings';
import { FatalStartupError } from '#kernel';
import { FakeEmbedder } from './fake-embedder.js';

/** Double of the registry: one `FakeEmbedder` per `modelRev`, made when first asked for. */
export class FakeEmbedderRegistry extends EmbedderRegistry {
  private readonly embedders = new Map<string, FakeEmbedder>();
  private readonly refused = new Set<string>();
  private readonly models = new Map<string, Partial<EmbedderDescriptor>>();

  /** @param configured its descriptor is the one of new generations */
  constructor(readonly configured: FakeEmbedder = new FakeEmbedder()) {
    super();
    this.embedders.set(configured.modelRev, configured);
    this.models.set(configured.descriptor.model, {});
  }

  /** Adds a model that {@link describe} knows by name, for example one of another dimension. */
  addModel(model: string, properties: Partial<EmbedderDescriptor>): void {
    this.models.set(model, properties);
  }

  /** From now on that model can be described, but does not work. */
  refuseModel(model: string): void {
    this.refused.add(model);
  }

  async describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor> {
    const { descriptor } = this.configured;
    const properties = this.models.get(overrides.model ?? descriptor.model);
    if (properties === undefined) throw new FatalStartupError(`The double has no model ${overrides.model}`);
    return { ...descriptor, ...properties, ...overrides };
  }

  /** Every embedder of the double works, but for those of a model of {@link refuseModel}. */
  async prove({ model }: EmbedderDescriptor): Promise<void> {
    if (this.refused.has(model)) throw new FatalStartupError(`The double was told that ${model} cannot be used`);
  }

  get(descriptor: EmbedderDescriptor): FakeEmbedder {
    const modelRev = modelRevOf(descriptor);
    const known = this.embedders.get(modelRev);
    if (known !== undefined) return known;
    const made = new FakeEmbedder(descriptor);
    this.embedders.set(modelRev, made);
    return made;
  }

  list(): readonly FakeEmbedder[] {
    return [...this.embedders.values()];
  }

  serviceState(): 'not_configured' {
    return 'not_configured';
  }

  async release(modelRev: string): Promise<void> {
    const embedder = this.embedders.get(modelRev);
    this.embedders.delete(modelRev);
    await embedder?.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.embedders.values()].map((embedder) => embedder.close()));
  }
}

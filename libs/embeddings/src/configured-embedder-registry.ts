import { EmbeddingConfig } from '#config';
import { DomainError } from '#kernel';
import type { Embedder, EmbedderDescriptor } from './embedder.js';
import type { EmbedderFactory } from './embedder-factory.js';
import { EmbedderRegistry, type EmbedderOverrides, type EmbeddingServiceState } from './embedder-registry.js';
import { LocalEmbedderFactory } from './local-embedder-factory.js';
import { modelRevOf } from './model-rev.js';
import { OpenAiEmbedder } from './openai/openai-embedder.js';
import { OpenAiEmbedderFactory } from './openai/openai-embedder-factory.js';

const WORST_FIRST = ['unhealthy', 'degraded'] as const;

/** Builds embedders of every provider, from the configuration; those of different providers live side by side. */
export class ConfiguredEmbedderRegistry extends EmbedderRegistry {
  private readonly embedders = new Map<string, Embedder>();
  private readonly factories: Readonly<Record<EmbedderDescriptor['provider'], EmbedderFactory>>;
  private isClosed = false;

  constructor(private readonly config: EmbeddingConfig) {
    super();
    this.factories = { local: new LocalEmbedderFactory(config), openai: new OpenAiEmbedderFactory(config) };
  }

  async describe(overrides: EmbedderOverrides): Promise<EmbedderDescriptor> {
    return this.factories[overrides.provider ?? this.config.provider].describe(overrides);
  }

  async prove(descriptor: EmbedderDescriptor): Promise<void> {
    await this.factories[descriptor.provider].prove(descriptor);
  }

  get(descriptor: EmbedderDescriptor): Embedder {
    if (this.isClosed) throw new DomainError('search.embedder-unavailable', { detail: 'The embedders are closed' });
    const modelRev = modelRevOf(descriptor);
    const known = this.embedders.get(modelRev);
    if (known !== undefined) return known;
    const embedder = this.factories[descriptor.provider].build(descriptor);
    this.embedders.set(modelRev, embedder);
    return embedder;
  }

  list(): readonly Embedder[] {
    return [...this.embedders.values()];
  }

  serviceState(): EmbeddingServiceState {
    const services = [...this.embedders.values()].filter((embedder) => embedder instanceof OpenAiEmbedder);
    if (services.length === 0 && this.config.provider !== 'openai') return 'not_configured';
    return WORST_FIRST.find((state) => services.some((service) => service.state === state)) ?? 'healthy';
  }

  override forgetQueries(): void {
    for (const embedder of this.embedders.values()) embedder.forgetQueries();
  }

  async release(modelRev: string): Promise<void> {
    const embedder = this.embedders.get(modelRev);
    this.embedders.delete(modelRev);
    await embedder?.close();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.embedders.values()].map((embedder) => embedder.close()));
  }
}

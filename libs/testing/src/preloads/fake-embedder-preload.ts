// For `node --import`: every embedder of the program that is started is the fake one, so that it starts in a fraction of a second and embeds at once.
import { LocalEmbedderRegistry, type Embedder, type EmbedderDescriptor } from '#embeddings';
import { FakeEmbedderRegistry } from '../fake-embedder-registry.js';

const fakes = new FakeEmbedderRegistry();

// The program makes its registry itself; the class is what the two of them share.
const registry = LocalEmbedderRegistry.prototype as {
  describeConfigured(): Promise<EmbedderDescriptor>;
  get(descriptor: EmbedderDescriptor): Embedder;
  close(): Promise<void>;
};
registry.describeConfigured = () => fakes.describeConfigured();
registry.get = (descriptor) => fakes.get(descriptor);
registry.close = () => fakes.close();

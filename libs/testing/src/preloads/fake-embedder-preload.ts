// For `node --import`: every embedder of the program that is started is the fake one, so that it starts in a fraction of a second and embeds at once.
import { ConfiguredEmbedderRegistry, type EmbedderRegistry } from '#embeddings';
import { FakeEmbedderRegistry } from '../fake-embedder-registry.js';

const fakes = new FakeEmbedderRegistry();

/** Whatever a registry can do; a method that is added there is missing here, and the compiler says so. */
const methods: { [Name in keyof EmbedderRegistry]: EmbedderRegistry[Name] } = {
  describe: (overrides) => fakes.describe(overrides),
  describeConfigured: () => fakes.describeConfigured(),
  prove: (descriptor) => fakes.prove(descriptor),
  get: (descriptor) => fakes.get(descriptor),
  list: () => fakes.list(),
  serviceState: () => fakes.serviceState(),
  forgetQueries: () => fakes.forgetQueries(),
  release: (modelRev) => fakes.release(modelRev),
  close: () => fakes.close(),
};

// The program makes its registry itself; the class is what the two of them share.
Object.assign(ConfiguredEmbedderRegistry.prototype, methods);

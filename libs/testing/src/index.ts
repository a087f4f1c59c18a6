export * from './fake-embedder.js';
export * from './fake-embedder-registry.js';

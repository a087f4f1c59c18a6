export * from './fake-embedder.js';
export * from './fake-embedder-registry.js';
export * from './vector-store-contract/index.js';
export * from './server-process.js';

export * from './embedder.js';
export * from './embedder-registry.js';
export * from './model-rev.js';

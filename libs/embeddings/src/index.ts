export * from './embedder.js';
export * from './embedder-registry.js';
export * from './embeddings.module.js';
export * from './local-embedder-registry.js';
export * from './model-folder.js';
export * from './model-folder.errors.js';
export * from './model-rev.js';
export * from './transformers/transformers-embedder.js';

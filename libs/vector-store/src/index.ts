export * from './local/local-vector-store.js';
export * from './local/local-vector-store-options.js';
export * from './vector-filter.js';
export * from './vector-store.js';
export * from './vector-store.module.js';
export * from './vector-store-error.js';
export * from './qdrant/qdrant-vector-store-options.js';
export * from './qdrant/qdrant-vector-store.js';

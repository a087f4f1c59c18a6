export * from './index-source.js';
export * from './index-source-registry.js';
export * from './serving-index.js';

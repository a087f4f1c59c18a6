export * from './vector-filter.js';
export * from './vector-store.js';
export * from './vector-store-error.js';

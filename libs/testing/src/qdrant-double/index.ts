export * from './qdrant-double.js';
export * from './qdrant-double-fault.js';

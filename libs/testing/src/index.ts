export * from './fake-embedder.js';
export * from './fake-embedder-registry.js';
export * from './vector-store-contract/index.js';
export * from './server-process.js';
export * from './database.js';
export * from './database-server.js';
export * from './fixed-clock.js';
export * from './wait-for.js';

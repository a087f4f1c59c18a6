export * from './data-source.js';
export * from './database-errors.js';
export * from './embedded/embedded-postgres.js';
export * from './migrate.js';
export * from './migrations/index.js';
export * from './typeorm-unit-of-work.js';
export * from './unit-of-work.js';

export * from './data-dir-lock.js';
export * from './client-config.js';
export * from './config.module.js';
export * from './environment.js';
export * from './erasure-config.js';
export * from './kindred-config.js';
export * from './runtime-options.js';
export * from './slices.js';

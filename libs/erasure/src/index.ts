export * from './erasure-log.js';
export * from './erasure-record.js';
export * from './reapply-erasures.js';

export * from './entity-tag.js';
export * from './number-rules.js';
export * from './query-rules.js';
export * from './text-rules.js';
export * from './write-parameters.js';

export * from './entity-tag-headers.js';
export * from './entity-tag.js';
export * from './language.js';
export * from './list-cursor.js';
export * from './number-rules.js';
export * from './query-rules.js';
export * from './text-rules.js';
export * from './write-parameters.js';

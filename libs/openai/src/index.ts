export * from './openai-client.js';
export * from './provider-error.js';
export * from './read-bounded.js';

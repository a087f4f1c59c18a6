export * from './fake-generation-server.js';
export * from './generation-fault.js';

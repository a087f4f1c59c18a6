export * from './embedding-fault.js';
export * from './fake-embedding-server.js';

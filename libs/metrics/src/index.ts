export * from './metrics.module.js';
export * from './metrics-registry.js';
export * from './http/http.metrics.js';
export * from './http/metrics-http.module.js';

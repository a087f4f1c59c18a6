export * from './dependency-probe.js';
export * from './health.module.js';
export * from './health-monitor.js';
export * from './http/health-http.module.js';

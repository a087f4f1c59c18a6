export * from './admin.module.js';
export * from './generation-targets.js';
export * from './http/admin-http.module.js';

export * from './search.js';
export * from './similarity.module.js';
export * from './similarity.service.js';
export * from './http/similarity-http.module.js';
export * from './http/similarity.schemas.js';

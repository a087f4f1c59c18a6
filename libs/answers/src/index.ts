export * from './answer.js';
export * from './answers.module.js';
export * from './extractive-answer.js';
export * from './query.js';
export * from './query.service.js';
export * from './http/answers-http.module.js';
export * from './http/query.schemas.js';

export * from './backup-error.js';
export * from './backup-manifest.js';
export * from './backup-writer.js';
export * from './backup-restorer.js';
export type { ReapplyErasures } from './bring-up-to-date.js';
export type { KeptRows } from './kept-rows.js';
export * from './restore-drill.js';

import 'reflect-metadata';
import { loadConfig } from '#config';
import { runProgram } from '#observability';
import { mkdirSync, writeFileSync } from 'node:fs';
import { ApiModule } from './api.module.js';
import { errorsDocument } from './http/errors-document.js';
import { renderOpenApi } from './http/render-openapi.js';

/** Writes openapi.json and docs/errors.md into the current folder; both are committed, and tests fail when they differ from the code. */
await runProgram(async () => {
  writeFileSync('openapi.json', await renderOpenApi(ApiModule.forRoot(loadConfig({}))));
  mkdirSync('docs', { recursive: true });
  writeFileSync('docs/errors.md', errorsDocument());
});

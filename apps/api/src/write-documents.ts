import 'reflect-metadata';
import { loadConfig } from '#config';
import { runProgram } from '#observability';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { mkdirSync, writeFileSync } from 'node:fs';
import { ApiModule } from './api.module.js';
import { configureHttp } from './http/configure-http.js';
import { errorsDocument } from './http/errors-document.js';
import { createFastifyAdapter } from './http/fastify-adapter.js';
import { buildOpenApiDocument, openApiText } from './http/openapi-document.js';

/** Writes openapi.json and docs/errors.md into the current folder; both are committed, and tests fail when they differ from the code. */
await runProgram(async () => {
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.forRoot(loadConfig({})), createFastifyAdapter(), {
    logger: ['error', 'fatal'],
    abortOnError: false,
  });
  await configureHttp(app);
  writeFileSync('openapi.json', openApiText(buildOpenApiDocument(app)));
  mkdirSync('docs', { recursive: true });
  writeFileSync('docs/errors.md', errorsDocument());
  // The application was never started: nothing is open that has to be closed.
  process.exit(0);
});

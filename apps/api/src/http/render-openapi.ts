import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createFastifyAdapter } from './fastify-adapter.js';
import { buildOpenApiDocument, openApiText } from './openapi-document.js';

/** Renders openapi.json from the controllers of the module; makes no provider, so it needs neither database nor model. */
export async function renderOpenApi(module: Type | DynamicModule): Promise<string> {
  const app = await NestFactory.create<NestFastifyApplication>(module, createFastifyAdapter(), {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  try {
    return openApiText(buildOpenApiDocument(app));
  } finally {
    await app.close();
  }
}

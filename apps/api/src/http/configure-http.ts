import { AccessHook, LimitsHook } from '#security';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { KindredFastifyAdapter } from './kindred-fastify.adapter.js';
import { buildOpenApiDocument } from './openapi-document.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestValidationPipe } from './request-validation.pipe.js';

/** Gives the application its door, its validation, its errors and its documentation (/docs, /docs-json). Call it once, before `listen` or `init`. */
export async function configureHttp(app: NestFastifyApplication): Promise<void> {
  (app.getHttpAdapter() as unknown as KindredFastifyAdapter).protectWith({ access: app.get(AccessHook), limits: app.get(LimitsHook) });
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalFilters(new ProblemFilter());
  // Built on the first request for it: most processes are never asked.
  SwaggerModule.setup('docs', app, () => buildOpenApiDocument(app), { raw: ['json'], customSiteTitle: 'Kindred API' });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '#config';
import type { OpenAPIObject } from '@nestjs/swagger';
import { ApiModule } from '../src/api.module.js';
import { renderOpenApi } from '../src/http/render-openapi.js';
import { problemSchema } from '../src/http/problem.schema.js';
import { conformsTo } from './json-schema.js';
import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

interface Operation {
  readonly name: string;
  readonly path: string;
  readonly operation: Json;
}

describe('openapi.json', () => {
  let text: string;
  let document: OpenAPIObject;
  let operations: Operation[];
  beforeAll(async () => {
    text = await renderOpenApi(ApiModule.forRoot(loadConfig({})));
    document = JSON.parse(text) as OpenAPIObject;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => method in item).map((method) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        operation: (item as Record<string, unknown>)[method],
      })),
    );
  });

  it('is committed as the controllers say; `npm run openapi` writes it', () => {
    expect(readFileSync(join(process.cwd(), 'openapi.json'), 'utf8')).toBe(text);
  });

  it('has a summary, a description, an id and a tag for every operation', () => {
    const bare = operations.filter(
      ({ operation }) => !operation.summary || !operation.description || !operation.operationId || !operation.tags?.length,
    );
    expect(bare.map(({ name }) => name)).toEqual([]);
    const ids = operations.map(({ operation }) => operation.operationId as string);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('describes every parameter', () => {
    const bare = operations.flatMap(({ name, operation }) =>
      (operation.parameters ?? [])
        .filter((parameter: Json) => !parameter.schema || (parameter.in !== 'path' && !parameter.description))
        .map((parameter: Json) => `${name} ${parameter.name}`),
    );
    expect(bare).toEqual([]);
  });

  it('has an example for every body, which conforms to its schema', () => {
    const defects: string[] = [];
    for (const { name, operation } of operations) {
      for (const [place, media] of mediaOf(operation)) {
        const examples = [
          ...(media.example === undefined ? [] : [media.example]),
          ...Object.values<{ value: unknown }>(media.examples ?? {}).map(({ value }) => value),
        ];
        if (examples.length === 0) defects.push(`${name} ${place}: no example`);
        for (const example of examples)
          defects.push(...conformsTo(media.schema, example, document).map((defect) => `${name} ${place}: ${defect}`));
      }
    }
    expect(defects).toEqual([]);
  });

  it('lists the statuses that each operation can answer', () => {
    for (const { name, path, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect([name, statuses]).toEqual([name, expect.arrayContaining(['400', '415', '500'])]);
      if (operation['x-required-scope'] !== 'public') {
        expect([name, statuses]).toEqual([name, expect.arrayContaining(['401', '403', '429', '503'])]);
        const headersOf = (status: string) => Object.keys(operation.responses[status].headers ?? {});
        expect([name, headersOf('401'), headersOf('429'), headersOf('503')]).toEqual([
          name,
          ['WWW-Authenticate'],
          ['Retry-After'],
          ['Retry-After'],
        ]);
      }
      if (!name.startsWith('GET ')) expect([name, statuses]).toEqual([name, expect.arrayContaining(['413'])]);
      if (path.includes('{id}')) expect([name, statuses]).toEqual([name, expect.arrayContaining(['404'])]);
    }
  });

  it('has the consistency token on the replies of writes, and on searches as header and parameter', () => {
    const operationOf = (id: string): Json => operations.find(({ operation }) => operation.operationId === id)!.operation;
    for (const [id, status] of [
      ['createProject', '201'],
      ['replaceProject', '200'],
      ['replaceProjectByExternalId', '200'],
      ['replaceProjectByExternalId', '201'],
      ['patchProject', '200'],
      ['deleteProject', '204'],
    ] as const) {
      expect([id, Object.keys(operationOf(id).responses[status].headers)]).toEqual([id, expect.arrayContaining(['X-Kindred-Token'])]);
    }
    const parametersOf = (id: string) => (operationOf(id).parameters as Json[]).map((parameter) => `${parameter.in} ${parameter.name}`);
    for (const id of ['findSimilar', 'batchSimilar']) expect(parametersOf(id)).toEqual(['header X-Kindred-Token']);
    expect(parametersOf('findProjectsLike')).toEqual(
      expect.arrayContaining(['header X-Kindred-Token', 'query consistency_token', 'query wait_ms']),
    );
    const schemas = document.components!.schemas as Record<string, Json>;
    for (const name of ['FindSimilarRequest', 'BatchSimilarRequest']) {
      expect(schemas[name].properties).toMatchObject({ consistency_token: { type: 'string' }, wait_ms: { minimum: 0, maximum: 10_000 } });
      expect(schemas[name].required).not.toContain('consistency_token');
    }
    for (const name of ['SearchReply', 'BatchEntry']) {
      expect(schemas[name].properties).toMatchObject({ freshness: { enum: ['fresh', 'stale'] }, backlog: { type: 'integer' } });
      expect(schemas[name].required).not.toContain('freshness');
    }
  });

  it('answers every error of /api as a problem', () => {
    for (const { name, path, operation } of operations.filter((one) => one.path.startsWith('/api/'))) {
      for (const [status, response] of Object.entries<Json>(operation.responses)) {
        if (Number(status) < 400) continue;
        expect([name, path, status, Object.keys(response.content)]).toEqual([name, path, status, ['application/problem+json']]);
        expect(problemSchema.safeParse(response.content['application/problem+json'].example).error).toBeUndefined();
      }
    }
  });

  it('has no reference that leads nowhere', () => {
    const schemas = Object.keys(document.components?.schemas ?? {});
    for (const [, target] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(schemas).toContain(target);
    expect(text).not.toContain('#/$defs');
  });

  function mediaOf(operation: Json): [string, Json][] {
    const bodies = Object.values<Json>(operation.requestBody?.content ?? {}).map((media): [string, Json] => ['request', media]);
    const replies = Object.entries<Json>(operation.responses).flatMap(([status, response]) =>
      Object.values<Json>(response.content ?? {}).map((media): [string, Json] => [status, media]),
    );
    return [...bodies, ...replies];
  }
});

describe('/docs-json', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp();
  });
  afterAll(() => http.close());

  it('documents exactly the routes that exist', async () => {
    const { status, body } = await http.send('GET', '/docs-json');
    expect(status).toBe(200);
    const documented = Object.entries<object>(body.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const live = http.adapter.routes
      .routes()
      .filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'))
      .map(({ method, url }) => `${method} ${url.replace(/:(\w+)/g, '{$1}')}`);
    expect(documented.sort()).toEqual(live.sort());
  });
});

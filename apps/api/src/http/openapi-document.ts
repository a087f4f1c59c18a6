import { DomainError, ERROR_CODES, type ErrorCode } from '#kernel';
import { SCOPE_EXTENSION, type RouteScope } from '#security';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { addReplayHeader, IDEMPOTENT_RESPONSES, takesIdempotencyKey } from './idempotent-operations.js';
import { PROBLEM_CONTENT_TYPE, problemHeadersOf, problemOf } from './problem.js';
import { problemSchema } from './problem.schema.js';
import { convertSchema } from './schema-converter.js';

const API_VERSION = '1.0.0';
const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;
const EXAMPLE_REQUEST_ID = '6f1c7a54-8a57-4c3e-9d0a-2f6f0f9b1c55';
const PROBLEM_MEDIA_TYPE = PROBLEM_CONTENT_TYPE.split(';')[0]!;

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Responses = Operation['responses'];
type ResponseObject = Exclude<NonNullable<Responses[string]>, { $ref: string }>;

/** The code whose problem stands as the example of a status. */
const EXAMPLE_CODES: Readonly<Record<string, ErrorCode>> = {
  400: 'request.invalid',
  401: 'access.key-missing',
  403: 'access.scope-missing',
  404: 'projects.not-found',
  406: 'request.not-acceptable',
  409: 'projects.external-id-taken',
  412: 'request.precondition-failed',
  413: 'request.body-too-large',
  415: 'request.unsupported-media-type',
  422: 'generations.gate-refused',
  428: 'request.precondition-required',
  429: 'access.rate-limited',
  500: 'internal.error',
  503: 'database.unavailable',
};

/** Of operations with this tag, where it is another one. */
const EXAMPLE_CODES_OF_TAG: Readonly<Record<string, Readonly<Record<string, ErrorCode>>>> = {
  admin: { 404: 'generations.not-found', 409: 'generations.conflict' },
  collections: { 404: 'collections.not-found', 409: 'collections.name-taken' },
  documents: { 404: 'documents.not-found', 409: 'documents.external-id-taken', 422: 'collections.unknown' },
  query: { 422: 'query.filter-mismatch' },
  chat: { 404: 'conversations.not-found', 422: 'collections.unknown' },
  jobs: { 404: 'jobs.not-found', 409: 'jobs.over' },
};

/** Statuses that every operation can answer, whatever its controller says. */
const EVERY_OPERATION: Readonly<Record<string, string>> = {
  400: 'Something in the request was refused',
  415: 'The body is compressed, or of a type that is not read here',
  500: 'A defect in Kindred',
};
/** Files, events and metrics come whatever Accept says. */
const EVERY_OPERATION_IN_JSON: Readonly<Record<string, string>> = { 406: 'Accept excludes JSON' };
/** Every key is looked up, so the database may be missed by any of them. */
const EVERY_GUARDED_OPERATION: Readonly<Record<string, string>> = {
  401: 'A key is needed, or the one that was sent is not good',
  403: 'The key lacks the scope, or may not see this',
  429: 'Too many requests; see Retry-After',
  503: 'Something that is needed does not answer; see Retry-After',
};
/** Of every method but GET a body is read, wanted or not. */
const EVERY_OPERATION_WITH_BODY: Readonly<Record<string, string>> = { 413: 'The body is too large' };

/** Headers of problems with that status; those that say when to come back are known from the error itself. */
const HEADERS_OF_STATUS: Readonly<Record<string, NonNullable<ResponseObject['headers']>>> = {
  401: { 'WWW-Authenticate': { description: 'How a key is sent', schema: { type: 'string' }, example: 'Bearer realm="kindred"' } },
};

/** Builds the OpenAPI document of the routes that this application has; the same routes give the same document, key for key. */
export function buildOpenApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Kindred')
    .setDescription(
      'Keeps PostgreSQL rows and a vector index in step, and finds the rows that are alike. Errors are application/problem+json; docs/errors.md lists their codes.',
    )
    .setVersion(API_VERSION)
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key' }, 'bearer')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key' }, 'apiKey')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .build();
  const document = SwaggerModule.createDocument(app, config, { standardSchemaConverter: convertSchema, autoTagControllers: false });
  const { components = {} } = convertSchema(problemSchema, { schemaType: 'output' }) ?? {};
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...(components as NonNullable<OpenAPIObject['components']>['schemas']) },
  };
  const ids = new Set<string>();
  for (const item of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation === undefined) continue;
      const scope = addScope(operation);
      completeResponses(method, operation, scope !== 'public');
      addEvents(operation);
      addReplayHeader(operation);
      // A second path of one route; ids must differ, and clients are generated with them.
      if (operation.operationId !== undefined && ids.has(operation.operationId)) operation.operationId += 'Alias';
      ids.add(operation.operationId ?? '');
    }
  }
  return document;
}

/** The text that is committed as openapi.json. */
export function openApiText(document: OpenAPIObject): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Says in words, and for tools, what a key must be allowed to do. */
function addScope(operation: Operation & { [SCOPE_EXTENSION]?: RouteScope }): RouteScope {
  const scope = operation[SCOPE_EXTENSION];
  if (scope === undefined) throw new Error(`${operation.operationId} does not say what scope it asks for`);
  operation.security = scope === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }];
  const words = scope === 'public' ? 'Needs no key.' : `Needs a key with the scope \`${scope}\`.`;
  operation.description = operation.description === undefined ? words : `${operation.description}\n\n${words}`;
  return scope;
}

function completeResponses(method: (typeof METHODS)[number], operation: Operation, isGuarded: boolean): void {
  const shared = {
    ...EVERY_OPERATION,
    ...(answersJson(operation) ? EVERY_OPERATION_IN_JSON : {}),
    ...(isGuarded ? EVERY_GUARDED_OPERATION : {}),
    ...(method === 'get' ? {} : EVERY_OPERATION_WITH_BODY),
    ...(takesIdempotencyKey(operation) ? IDEMPOTENT_RESPONSES : {}),
  };
  const responses: Responses = {
    ...Object.fromEntries(Object.entries(shared).map(([status, description]) => [status, { description }])),
    ...operation.responses,
  };
  for (const [status, response] of Object.entries(responses)) {
    if (Number(status) >= 400 && response !== undefined && !('$ref' in response) && response.content === undefined)
      Object.assign(response, problemResponse(status, operation.tags ?? []));
  }
  operation.responses = responses;
}

/** Also when it answers nothing at all. */
function answersJson({ responses }: Operation): boolean {
  const forms = Object.entries(responses).flatMap(([status, response]) =>
    status.startsWith('2') && response !== undefined && 'content' in response ? Object.keys(response.content ?? {}) : [],
  );
  return forms.length === 0 || forms.includes('application/json');
}

/** Swagger's decorators know one form of a reply; a route that also answers with events says so as `x-events`, with an example. */
function addEvents(operation: Operation & { 'x-events'?: unknown }): void {
  const example = operation['x-events'];
  if (example === undefined) return;
  delete operation['x-events'];
  const response = operation.responses['200'] as ResponseObject;
  response.content = { ...response.content, 'text/event-stream': { schema: { type: 'string' }, example } };
}

function problemResponse(status: string, tags: readonly string[]): Pick<ResponseObject, 'content' | 'headers'> {
  const code = tags.map((tag) => EXAMPLE_CODES_OF_TAG[tag]?.[status]).find((own) => own !== undefined) ?? EXAMPLE_CODES[status];
  if (code === undefined) throw new Error(`No example problem for status ${status}`);
  const error = new DomainError(code, code === 'request.invalid' ? EXAMPLE_REFUSAL : {});
  const waits = problemHeadersOf(error)['retry-after'] !== undefined;
  const headers: ResponseObject['headers'] = {
    ...HEADERS_OF_STATUS[status],
    ...(waits ? { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } } : {}),
  };
  return {
    content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' }, example: problemOf(error, EXAMPLE_REQUEST_ID) } },
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  };
}

const EXAMPLE_REFUSAL = {
  detail: `${ERROR_CODES['request.invalid'].title}: one field was refused`,
  fields: [{ pointer: '/top_k', code: 'too-large', detail: 'must be at most 100' }],
};

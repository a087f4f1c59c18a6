import fc from 'fast-check';
import { invalidTexts, invalidValues } from './invalid-values.js';
import type { Schema } from './schema.js';
import { validValues, type KnownValues } from './valid-values.js';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: Schema;
}

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface ReplyRule {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, Media>>;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, ReplyRule>>;
  readonly 'x-required-scope': string;
}

/** One request, as it is printed when it was answered wrongly. */
export interface FuzzRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payload?: string;
}

type Values = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
const JSON_TYPE = 'application/json';

export function operationsOf(document: { readonly paths: object }): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in (item as object)).map((method) => {
      const operation = (item as Record<string, Omit<Operation, 'method' | 'path'>>)[method]!;
      return { ...operation, parameters: operation.parameters ?? [], method: method.toUpperCase(), path };
    }),
  );
}

/** Requests that the document allows. */
export function validRequests(operation: Operation, document: object, known: KnownValues): fc.Arbitrary<FuzzRequest> {
  return fc
    .record({
      path: parametersOf(operation, 'path', document, known),
      query: parametersOf(operation, 'query', document, known),
      header: parametersOf(operation, 'header', document, known),
      body: bodiesOf(operation, document, known),
    })
    .map(({ path, query, header, body }) => requestOf(operation, path, query, header, body));
}

/** Requests that the document forbids, each in one place. */
export function invalidRequests(operation: Operation, document: object, known: KnownValues): fc.Arbitrary<FuzzRequest> {
  const valid = validRequests(operation, document, known);
  const broken: fc.Arbitrary<FuzzRequest>[] = [
    valid.map((request) => ({ ...request, url: `${request.url}${request.url.includes('?') ? '&' : '?'}no_such_parameter=1` })),
  ];
  for (const { name, in: place, schema } of operation.parameters) {
    for (const bad of invalidTexts(schema, document)) {
      broken.push(
        fc
          .record({
            path: parametersOf(operation, 'path', document, known),
            query: parametersOf(operation, 'query', document, known),
            header: parametersOf(operation, 'header', document, known),
            body: bodiesOf(operation, document, known),
            // Nothing at all in the path is another path.
            bad: place === 'path' ? bad.map((text) => text || ' ') : bad,
          })
          .map(({ path, query, header, body, bad: text }) => {
            const parts = { path, query, header, [place]: { ...{ path, query, header }[place], [name]: text } };
            return requestOf(operation, parts.path, parts.query, parts.header, body);
          }),
      );
    }
  }
  const json = operation.requestBody?.content[JSON_TYPE];
  if (json !== undefined) {
    for (const bad of invalidValues(json.schema, document))
      broken.push(fc.tuple(valid, bad).map(([request, body]) => ({ ...request, payload: JSON.stringify(body) })));
    broken.push(valid.map((request) => ({ ...request, payload: '{"unclosed":' })));
    broken.push(
      valid
        .filter(({ payload }) => payload !== undefined)
        .map((request) => ({ ...request, headers: { ...request.headers, 'content-type': 'text/html' } })),
    );
  }
  return fc.oneof(...broken);
}

function parametersOf(operation: Operation, place: Parameter['in'], document: object, known: KnownValues): fc.Arbitrary<Values> {
  const own = operation.parameters.filter((parameter) => parameter.in === place);
  return fc.record(
    Object.fromEntries(
      own.map(({ name, schema }) => {
        const values = known[`${operation.operationId}.${name}`] ?? known[name] ?? validValues(schema, document, known);
        return [name, place === 'path' ? values : fc.option(values, { nil: undefined, freq: 2 })];
      }),
    ),
  ) as fc.Arbitrary<Values>;
}

interface Body {
  readonly type: string;
  readonly text: string;
}

function bodiesOf({ requestBody }: Operation, document: object, known: KnownValues): fc.Arbitrary<Body | null> {
  if (requestBody === undefined) return fc.constant(null);
  const bodies = Object.entries(requestBody.content).map(([type, { schema, example }]) => {
    if (type === JSON_TYPE) return validValues(schema, document, known).map((value) => ({ type, text: JSON.stringify(value) }));
    return fc
      .oneof(fc.constant(String(example)), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }))
      .map((text) => ({ type, text }));
  });
  return requestBody.required === false ? fc.option(fc.oneof(...bodies), { nil: null, freq: 4 }) : fc.oneof(...bodies);
}

function requestOf({ method, path }: Operation, inPath: Values, query: Values, header: Values, body: Body | null): FuzzRequest {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name]).toWellFormed()));
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => `${name}=${encodeURIComponent(String(one).toWellFormed())}`),
  );
  const headers = Object.fromEntries(
    Object.entries(header).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), latin1(String(value))] as const])),
  );
  return {
    method,
    url: `${filled}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`,
    headers: body === null ? headers : { ...headers, 'content-type': body.type },
    ...(body === null ? {} : { payload: body.text }),
  };
}

/** What a client library could send at all. */
function latin1(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?').trim();
}

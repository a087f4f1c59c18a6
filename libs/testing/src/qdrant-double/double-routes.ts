import { createHash } from 'node:crypto';
import type { DoubleCollection } from './double-collection.js';
import { compareIds, printId, readId } from './double-collection.js';
import { describeDoubleCollection } from './double-collection-info.js';
import { DoubleFailure } from './double-failure.js';
import { runQuery, selectContent } from './double-query.js';
import type { DoubleStorage } from './double-storage.js';
import { asArray, isObject, textOf, type Json, type JsonObject } from './double-types.js';

export interface DoubleRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: JsonObject;
}

type Handler = (storage: DoubleStorage, name: string, request: DoubleRequest) => Json;
type OnCollection = (collection: DoubleCollection, request: DoubleRequest) => Json;

/** Runs the handler on the collection that the path names, also by an alias. */
const on =
  (handler: OnCollection): Handler =>
  (storage, name, request) =>
    handler(storage.require(name), request);

/** A write: its effect is there when the reply comes, whatever `wait` says; only the status differs. */
const write = (apply: (collection: DoubleCollection, request: DoubleRequest) => void): Handler =>
  on((collection, request) => {
    apply(collection, request);
    return { operation_id: collection.nextOperation(), status: request.query.get('wait') === 'true' ? 'completed' : 'acknowledged' };
  });

const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /collections': (storage) => ({ collections: [...storage.collections.keys()].map((name) => ({ name })) }),
  'GET /aliases': (storage) => ({
    aliases: [...storage.aliases].map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
  }),
  'POST /collections/aliases': (storage, _name, { body }) => {
    storage.changeAliases(body);
    return true;
  },
  'GET /collections/*': on(describeDoubleCollection),
  'GET /collections/*/exists': (storage, name) => ({ exists: storage.exists(name) }),
  'PUT /collections/*': (storage, name, { body }) => {
    storage.create(name, body);
    return true;
  },
  'DELETE /collections/*': (storage, name) => storage.drop(name),
  'PATCH /collections/*': on((collection, { body }) => {
    const merged = { ...collection.config.metadata, ...(isObject(body['metadata']) ? body['metadata'] : {}) };
    collection.config.metadata = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
    return true;
  }),
  'PUT /collections/*/index': write((collection, { body }) => {
    const schema = body['field_schema'];
    collection.createIndex(textOf(body['field_name']), isObject(schema) ? schema : textOf(schema));
  }),
  'PUT /collections/*/points': write((collection, { body }) => collection.upsert(body)),
  'POST /collections/*/points/delete': write((collection, { body }) => collection.delete(body)),
  'POST /collections/*/points/payload': write((collection, { body }) => collection.setPayload(body, false)),
  'PUT /collections/*/points/payload': write((collection, { body }) => collection.setPayload(body, true)),
  'POST /collections/*/points': on(retrieve),
  'POST /collections/*/points/scroll': on(scroll),
  'POST /collections/*/points/count': on((collection, { body }) => ({ count: matching(collection, body).length })),
  'POST /collections/*/points/query': on((collection, { body }) => runQuery(collection, body)),
  'POST /collections/*/points/query/batch': on((collection, { body }) =>
    asArray(body['searches']).map((search) => runQuery(collection, isObject(search) ? search : {})),
  ),
  'POST /collections/*/facet': on((collection, { body }) => ({ hits: collection.facet(body) })),
  'POST /collections/*/snapshots': on(snapshot),
  'GET /collections/*/snapshots': on((collection) => collection.snapshots),
};

/** Returns the `result` of a request, or `undefined` when there is no such route. @throws DoubleFailure */
export function answer(storage: DoubleStorage, request: DoubleRequest): Json | undefined {
  const exact = ROUTES[`${request.method} ${request.path}`];
  if (exact !== undefined) return exact(storage, '', request);
  const [, name, rest] = /^\/collections\/([^/]+)(\/.*)?$/.exec(request.path) ?? [];
  if (name === undefined) return undefined;
  return ROUTES[`${request.method} /collections/*${rest ?? ''}`]?.(storage, decodeURIComponent(name), request);
}

function retrieve(collection: DoubleCollection, { body }: DoubleRequest): Json {
  const ids = new Set(asArray(body['ids']).map(readId));
  const found = [...ids].flatMap((id) => collection.points.get(id) ?? []);
  return found.map((point) => ({ id: printId(point.id), ...selectContent(point, body, true) }));
}

function scroll(collection: DoubleCollection, { body }: DoubleRequest): Json {
  const limit = Number(body['limit'] ?? 10);
  if (limit < 1)
    throw new DoubleFailure(422, `Validation error in JSON body: [scroll_request.limit: value ${limit} invalid, must be 1 or larger]`);
  collection.strictMode.checkRead(limit, body['filter']);
  // The offset is the first id of the page, not the last one of the page before.
  const offset = body['offset'] === undefined || body['offset'] === null ? null : readId(body['offset']);
  const rest = matching(collection, body).filter(({ id }) => offset === null || compareIds(id, offset) >= 0);
  const points = rest.slice(0, limit).map((point) => ({ id: printId(point.id), ...selectContent(point, body, true) }));
  return { points, next_page_offset: rest[limit] === undefined ? null : printId(rest[limit].id) };
}

function matching(collection: DoubleCollection, body: JsonObject): ReturnType<DoubleCollection['sortedPoints']> {
  const matches = collection.filter(body['filter']);
  return collection.sortedPoints().filter(({ id, payload }) => matches(id, payload));
}

function snapshot(collection: DoubleCollection): Json {
  const creationTime = new Date().toISOString().slice(0, 19);
  const content = JSON.stringify([...collection.points.values()].map(({ id, payload }) => [id, payload]));
  const description = {
    name: `${collection.name}-0-${creationTime.replaceAll(/[T:]/g, '-')}-${collection.snapshots.length}.snapshot`,
    creation_time: creationTime,
    size: content.length,
    checksum: createHash('sha256').update(content).digest('hex'),
  };
  collection.snapshots.push(description);
  return description;
}

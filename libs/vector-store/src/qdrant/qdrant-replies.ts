import type { Schemas } from '@qdrant/js-client-rest';

/*
 * The client library gives its types to whatever it was sent. Each of these tells whether a result really is what its type says, as far as the adapter
 * reads it; what is not must never look like an answer.
 */

/** At most `limit` points, each with an id and a score. */
export function isScoredPage(result: Schemas['QueryResponse'], limit: number): boolean {
  return isListOf(result.points, ({ id, score }) => isPointId(id) && Number.isFinite(score)) && result.points.length <= limit;
}

/** A page for each of the limits, in their order. */
export function areScoredPages(results: readonly Schemas['QueryResponse'][], limits: readonly number[]): boolean {
  return isListOf(results, (result, position) => isScoredPage(result, limits[position] ?? 0)) && results.length === limits.length;
}

/** At most `limit` records, and where the next page begins. */
export function isScrollPage(result: Schemas['ScrollResult'], limit: number): boolean {
  const { points, next_page_offset: next } = result;
  return isListOf(points, isStoredRecord) && points.length <= limit && (next === undefined || next === null || isPointId(next));
}

/** Records of the ids, and of no others. */
export function areRecordsOf(result: readonly Schemas['Record'][], ids: readonly string[]): boolean {
  const asked = new Set(ids);
  return isListOf(result, (record) => isStoredRecord(record) && asked.has(String(record.id))) && result.length <= ids.length;
}

export function isCount({ count }: Schemas['CountResult']): boolean {
  return isWholeNumber(count);
}

export function isFacet({ hits }: Schemas['FacetResponse']): boolean {
  return isListOf(hits, ({ value, count }) => isWholeNumber(count) && ['string', 'number', 'boolean'].includes(typeof value));
}

export function isCollectionList({ collections }: Schemas['CollectionsResponse']): boolean {
  return Array.isArray(collections);
}

export function isAliasList({ aliases }: Schemas['CollectionsAliasesResponse']): boolean {
  return isListOf(aliases, ({ alias_name: alias, collection_name: collection }) => isText(alias) && isText(collection));
}

export function isCollectionInfo(result: Schemas['CollectionInfo']): boolean {
  const { status, config, payload_schema: schema, points_count: points, indexed_vectors_count: indexed } = result;
  const counts: unknown[] = [points ?? 0, indexed ?? 0];
  return isText(status) && isObject(config) && isObject(config.params) && isObject(schema) && counts.every(isWholeNumber);
}

export function isExistence({ exists }: Schemas['CollectionExistence']): boolean {
  return isFlag(exists);
}

/** Whether the update was completed is for `requireCompleted` to judge. */
export function isUpdateResult({ status }: Schemas['UpdateResult']): boolean {
  return isText(status);
}

/** The client's types leave this one open. */
export function isTelemetry({ app }: { readonly app?: unknown }): boolean {
  return app === undefined || app === null || (isObject(app) && isText((app as { startup?: unknown }).startup ?? ''));
}

export function isNamed({ name }: Schemas['SnapshotDescription']): boolean {
  return isText(name);
}

export function isFlag(result: unknown): boolean {
  return typeof result === 'boolean';
}

function isStoredRecord({ id, payload, vector }: Schemas['Record']): boolean {
  const vectors: unknown[] = isObject(vector) ? Object.values(vector) : [];
  return isPointId(id) && isObject(payload ?? {}) && isObject(vector ?? {}) && vectors.every(isVector);
}

function isVector(value: unknown): boolean {
  return Array.isArray(value) && value.every(Number.isFinite);
}

/** The client returns integers beyond 2^53 as bigint. */
function isPointId(id: unknown): boolean {
  return typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint';
}

function isListOf<T>(list: readonly T[], isItem: (item: T, position: number) => boolean): boolean {
  return Array.isArray(list) && list.every((item: T, position) => isObject(item) && isItem(item, position));
}

function isWholeNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

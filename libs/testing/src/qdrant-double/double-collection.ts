import { compileFilter, type FilterFeatures, type PointPredicate } from './double-filter.js';
import { badJson, DoubleFailure, wrongInput } from './double-failure.js';
import { asArray, isObject, textOf, type DoublePoint, type Json, type JsonObject } from './double-types.js';
import { StrictMode } from './strict-mode.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Qdrant leaves vectors alone whose squared length is that close to 1. */
const NORMALISED_TOLERANCE = 1e-6;

interface VectorParams {
  readonly size: number;
  readonly distance: string;
}

/** The points of one collection, in memory, with the write rules of Qdrant. */
export class DoubleCollection {
  readonly points = new Map<string, DoublePoint>();
  readonly indexes = new Map<string, JsonObject | string>();
  readonly strictMode: StrictMode;
  readonly snapshots: JsonObject[] = [];
  /** Values that a keyword index has ever seen: a facet lists them also when no point is left. */
  private readonly seenValues = new Map<string, Set<string>>();
  private operations = 0;

  constructor(
    readonly name: string,
    readonly config: { readonly vectors: JsonObject; metadata: JsonObject | undefined; readonly strictMode: JsonObject | undefined },
    private readonly features: FilterFeatures,
  ) {
    this.strictMode = new StrictMode(config.strictMode ?? {}, this.indexes);
  }

  nextOperation(): number {
    return ++this.operations;
  }

  filter(filter: Json | undefined): PointPredicate {
    return compileFilter(filter, this.features);
  }

  sortedPoints(): DoublePoint[] {
    return [...this.points.values()].sort((a, b) => compareIds(a.id, b.id));
  }

  vectorParams(name: Json | undefined): VectorParams {
    const params = this.config.vectors[textOf(name)];
    if (!isObject(params)) throw wrongInput(`Not existing vector name error: ${textOf(name)}`);
    return params as unknown as VectorParams;
  }

  upsert(body: JsonObject): void {
    const incoming = asArray(body['points']).map((point) => this.readPoint(point));
    if (incoming.length === 0) throw new DoubleFailure(400, 'Bad request: Empty update request');
    this.strictMode.checkUpsert(incoming.length);
    const isNewer = this.filter(body['update_filter']);
    const version = this.nextOperation();
    // The condition sees the state before the request, also for the second of two equal ids.
    const writable = incoming.filter(({ id }) => this.mayWrite(id, textOf(body['update_mode'] ?? 'upsert'), isNewer));
    for (const point of writable) {
      this.points.set(point.id, { ...point, version });
      this.remember(point.payload);
    }
  }

  delete(body: JsonObject): void {
    if (body['filter'] === undefined && asArray(body['points']).length === 0)
      throw new DoubleFailure(400, 'Bad request: Empty update request');
    this.nextOperation();
    for (const { id } of this.selected(body)) this.points.delete(id);
  }

  setPayload(body: JsonObject, isOverwriting: boolean): void {
    const version = this.nextOperation();
    const payload = isObject(body['payload']) ? body['payload'] : {};
    for (const point of this.selected(body)) {
      point.payload = isOverwriting ? { ...payload } : { ...point.payload, ...payload };
      point.version = version;
      this.remember(point.payload);
    }
  }

  createIndex(field: string, schema: JsonObject | string): void {
    this.nextOperation();
    this.indexes.set(field, schema);
    for (const { payload } of this.points.values()) this.remember(payload);
    this.nextOperation();
  }

  facet(body: JsonObject): JsonObject[] {
    const key = textOf(body['key']);
    if (!this.hasLookupIndex(key)) {
      const help =
        'Check https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload schemas support Match conditions';
      throw wrongInput(`No appropriate index for faceting: \`${key}\`. Please create one to facet on this field. ${help}`);
    }
    const counts = new Map([...(this.seenValues.get(key) ?? [])].map((value) => [value, 0]));
    const matches = this.filter(body['filter']);
    for (const { id, payload } of this.points.values()) {
      if (!matches(id, payload)) continue;
      for (const value of asArray(payload[key])) counts.set(textOf(value), (counts.get(textOf(value)) ?? 0) + 1);
    }
    const hits = [...counts].map(([value, count]) => ({ value, count }));
    return hits.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, Number(body['limit'] ?? 10));
  }

  private hasLookupIndex(key: string): boolean {
    const schema = this.indexes.get(key);
    return schema === 'keyword' || schema === 'integer' || (isObject(schema) && schema['type'] !== 'float' && schema['lookup'] !== false);
  }

  private remember(payload: JsonObject): void {
    for (const key of this.indexes.keys()) {
      const seen = this.seenValues.get(key) ?? new Set<string>();
      for (const value of asArray(payload[key])) if (typeof value === 'string') seen.add(value);
      this.seenValues.set(key, seen);
    }
  }

  private mayWrite(id: string, mode: string, isNewer: PointPredicate): boolean {
    const existing = this.points.get(id);
    if (existing === undefined) return mode !== 'update_only';
    return mode !== 'insert_only' && isNewer(id, existing.payload);
  }

  private selected(body: JsonObject): DoublePoint[] {
    if (body['filter'] !== undefined) {
      const matches = this.filter(body['filter']);
      return [...this.points.values()].filter(({ id, payload }) => matches(id, payload));
    }
    return asArray(body['points']).flatMap((id) => this.points.get(readId(id)) ?? []);
  }

  private readPoint(point: Json): DoublePoint {
    if (!isObject(point)) throw badJson('invalid type: expected struct PointStruct');
    const id = readId(point['id']);
    const [name, components] = Object.entries(isObject(point['vector']) ? point['vector'] : {})[0] ?? [];
    if (!Array.isArray(components) || components.some((component) => typeof component !== 'number')) {
      throw badJson('data did not match any variant of untagged enum VectorStruct');
    }
    const { size } = this.vectorParams(name);
    if (components.length !== size)
      throw wrongInput(`Vector dimension error: expected dim: ${size}, got ${components.length} for vector '${name}'`);
    return { id, vector: normalised(components as number[]), payload: isObject(point['payload']) ? point['payload'] : {}, version: 0 };
  }
}

/** Numbers are ids as well; they are kept as text, like all ids. */
export function readId(value: Json | undefined): string {
  if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return String(value);
  throw badJson(`value ${textOf(value)} is not a valid point ID, valid values are either an unsigned integer or a UUID`);
}

/** As a reply has it. */
export function printId(id: string): string | number {
  return isNumeric(id) ? Number(id) : id;
}

/** All numbers come before all UUIDs. */
export function compareIds(a: string, b: string): number {
  if (isNumeric(a) !== isNumeric(b)) return isNumeric(a) ? -1 : 1;
  return isNumeric(a) ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0;
}

const isNumeric = (id: string): boolean => !id.includes('-');

/** Scales to length 1; a zero vector stays as it is, which Qdrant accepts. */
export function normalised(components: readonly number[]): Float32Array {
  const sumOfSquares = components.reduce((sum, component) => sum + component * component, 0);
  if (sumOfSquares === 0 || Math.abs(sumOfSquares - 1) <= NORMALISED_TOLERANCE) return Float32Array.from(components);
  return Float32Array.from(components, (component) => component / Math.sqrt(sumOfSquares));
}

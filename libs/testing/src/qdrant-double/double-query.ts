import { normalised, printId, readId, type DoubleCollection } from './double-collection.js';
import { badJson, DoubleFailure, noSuchPoint, wrongInput } from './double-failure.js';
import { asArray, isObject, type DoublePoint, type Json, type JsonObject } from './double-types.js';

interface Hit {
  readonly point: DoublePoint;
  readonly score: number;
}

interface Target {
  readonly vector: Float32Array;
  /** Examples are not among their own results. */
  readonly excluded: ReadonlySet<string>;
}

/** Answers one query: nearest to a vector or a point, recommend by the average vector, or MMR. Equal scores come in descending order of ids, because Qdrant promises none. */
export function runQuery(collection: DoubleCollection, body: JsonObject): JsonObject {
  const limit = Number(body['limit'] ?? 10);
  if (limit < 1)
    throw new DoubleFailure(422, `Validation error in JSON body: [internal.limit: value ${limit} invalid, must be 1 or larger]`);
  checkUnsigned(body, 'limit');
  checkUnsigned(body, 'offset');
  collection.strictMode.checkRead(limit, body['filter']);
  const dimensions = collection.vectorParams(body['using']).size;
  const mmr = readMmr(body['query']);
  const target = readTarget(collection, mmr === null ? body['query'] : mmr.nearest, dimensions);
  const hits = rank(collection, target, body);
  const offset = Number(body['offset'] ?? 0);
  const chosen = mmr === null ? hits.slice(offset, offset + limit) : diversify(hits.slice(0, mmr.candidates), mmr.diversity, limit);
  return { points: chosen.map((hit) => toScoredPoint(hit, body)) };
}

function rank(collection: DoubleCollection, target: Target, body: JsonObject): Hit[] {
  const matches = collection.filter(body['filter']);
  const threshold = typeof body['score_threshold'] === 'number' ? Math.fround(body['score_threshold']) : null;
  const hits: Hit[] = [];
  for (const point of collection.points.values()) {
    if (target.excluded.has(point.id) || !matches(point.id, point.payload)) continue;
    const score = dot(target.vector, point.vector);
    // Above, not at or above.
    if (threshold === null || score > threshold) hits.push({ point, score });
  }
  return hits.sort((a, b) => b.score - a.score || (a.point.id < b.point.id ? 1 : -1));
}

function readTarget(collection: DoubleCollection, query: Json | undefined, dimensions: number): Target {
  if (typeof query === 'string') {
    const point = requirePoint(collection, query);
    return { vector: point.vector, excluded: new Set([point.id]) };
  }
  if (isObject(query) && isObject(query['recommend'])) return readRecommendation(collection, query['recommend'], dimensions);
  if (!Array.isArray(query) || query.some((component) => typeof component !== 'number')) {
    throw badJson('data did not match any variant of untagged enum VectorInput');
  }
  if (query.length !== dimensions) throw wrongInput(`Vector dimension error: expected dim: ${dimensions}, got ${query.length}`);
  return { vector: normalised(query as number[]), excluded: new Set() };
}

/** The strategy `average_vector`: 2 x mean(positive) - mean(negative), or mean(positive) alone. */
function readRecommendation(collection: DoubleCollection, recommend: JsonObject, dimensions: number): Target {
  const positive = asArray(recommend['positive']).map((id) => requirePoint(collection, id));
  const negative = asArray(recommend['negative']).map((id) => requirePoint(collection, id));
  const mean = (points: readonly DoublePoint[], i: number): number =>
    points.reduce((sum, { vector }) => sum + vector[i]!, 0) / points.length;
  const vector = Array.from({ length: dimensions }, (_, i) =>
    negative.length === 0 ? mean(positive, i) : 2 * mean(positive, i) - mean(negative, i),
  );
  return { vector: normalised(vector), excluded: new Set([...positive, ...negative].map(({ id }) => id)) };
}

function readMmr(query: Json | undefined): { nearest: Json | undefined; diversity: number; candidates: number } | null {
  if (!isObject(query) || !isObject(query['mmr'])) return null;
  return {
    nearest: query['nearest'],
    diversity: Number(query['mmr']['diversity'] ?? 0.5),
    candidates: Number(query['mmr']['candidates_limit'] ?? 100),
  };
}

/** Maximal marginal relevance: each next hit is near to the query and far from those already chosen. */
function diversify(candidates: readonly Hit[], diversity: number, limit: number): Hit[] {
  const left = [...candidates];
  const chosen: Hit[] = left.splice(0, 1);
  while (chosen.length < limit && left.length > 0) {
    const worth = ({ point, score }: Hit): number =>
      (1 - diversity) * score - diversity * Math.max(...chosen.map((other) => dot(other.point.vector, point.vector)));
    const best = left.reduce((first, second) => (worth(second) > worth(first) ? second : first));
    chosen.push(...left.splice(left.indexOf(best), 1));
  }
  return chosen;
}

function requirePoint(collection: DoubleCollection, value: Json): DoublePoint {
  const id = readId(value);
  const point = collection.points.get(id);
  if (point === undefined) throw noSuchPoint(id);
  return point;
}

function checkUnsigned(body: JsonObject, name: string): void {
  const value = body[name];
  if (typeof value === 'number' && (!Number.isInteger(value) || value < 0)) throw badJson(`invalid value: \`${value}\`, expected usize`);
}

function toScoredPoint({ point, score }: Hit, body: JsonObject): JsonObject {
  return { id: printId(point.id), version: point.version, score, ...selectContent(point, body, false) };
}

/** The payload and the vector as far as a read asks for them. */
export function selectContent(point: DoublePoint, body: JsonObject, isPayloadDefault: boolean): JsonObject {
  const content: JsonObject = {};
  const wanted = body['with_payload'] ?? isPayloadDefault;
  if (Array.isArray(wanted)) content['payload'] = Object.fromEntries(Object.entries(point.payload).filter(([key]) => wanted.includes(key)));
  else if (wanted === true) content['payload'] = point.payload;
  const withVector = body['with_vector'];
  if (withVector === true || (Array.isArray(withVector) && withVector.length > 0)) content['vector'] = { text: shortFloats(point.vector) };
  return content;
}

/** As a server written with 32-bit floats prints them. */
function shortFloats(vector: Float32Array): number[] {
  return Array.from(vector, (component) => Number(component.toPrecision(9)));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return Number(Math.fround(sum).toPrecision(8));
}
